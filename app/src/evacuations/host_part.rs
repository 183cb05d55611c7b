//! A host on its page: whether it is in use, being emptied, empty, worked on or filled again, and what can be done about that.

use leptos::prelude::*;
use model::{Evacuation, EvacuationState, Host, Maintenance, MaintenanceStage};

use crate::evacuations::card::ProgressCard;
use crate::hosts::page::HostLink;
use crate::ui::time::Time;

/// The stage; `evacuation` is the one that empties the host, has emptied it, or fills it again.
#[component]
pub(super) fn HostPart(host: Host, evacuation: Option<Evacuation>) -> impl IntoView {
    let name = host.name.to_string();
    let Some(Maintenance { stage, since_ms, reason, by, told, .. }) = host.maintenance else {
        return view! {
            <p class="buttons stage" data-stage="in use">
                <HostLink href=format!("/hosts/{name}/empty")>"Empty this host"</HostLink>
            </p>
        }
        .into_any();
    };
    let slug: &str = stage.into();
    let is_open = evacuation.as_ref().is_some_and(|evacuation| !evacuation.state.has_ended());
    let progress = evacuation
        .clone()
        .filter(|_| is_open)
        .map(|evacuation| view! { <ProgressCard evacuation link="Show the evacuation" /> });
    let remark = (!is_open).then(|| remark(stage, evacuation.as_ref())).flatten();
    let remark = remark.map(|words| view! { <p>{words}</p> });
    let commands = (!is_open).then(|| view! { <Commands name=name.clone() stage evacuation reason=reason.clone() /> });
    let reason = (!reason.is_empty()).then(|| format!("{reason}, "));
    let told: Vec<_> = told.into_iter().map(|sentence| view! { <li>{sentence}</li> }).collect();
    let told = (!told.is_empty()).then(|| view! { <ul class="things">{told}</ul> });
    view! {
        <section class="card stage" data-stage=slug>
            <h2>{stage.label()}</h2>
            <p class="hint">{reason} "by " {by} ", since " <Time ms=since_ms /></p>
            {remark}
            {told}
            {commands}
        </section>
        {progress}
    }
    .into_any()
}

/// What is to be known of a host that no evacuation works on now.
fn remark(stage: MaintenanceStage, evacuation: Option<&Evacuation>) -> Option<&'static str> {
    match stage {
        MaintenanceStage::Draining
            if evacuation.is_some_and(|evacuation| evacuation.state == EvacuationState::Stopped) =>
        {
            Some("Its evacuation was stopped.")
        }
        MaintenanceStage::Draining => Some("Its evacuation has ended, but VMs still run here."),
        MaintenanceStage::Empty => Some(
            "No VM is active here, nor arrives: this host has said so, and so has the other host of each VM that was here.",
        ),
        MaintenanceStage::InMaintenance => Some("No VM is moved here."),
        MaintenanceStage::ComingBack => Some("Not all VMs have come home."),
    }
}

#[component]
fn Commands(name: String, stage: MaintenanceStage, evacuation: Option<Evacuation>, reason: String) -> impl IntoView {
    let of_host = format!("/hosts/{name}/maintenance");
    let begin = (stage == MaintenanceStage::Empty).then(|| {
        view! {
            <form method="post" action=of_host.clone()>
                <button class="button primary" name="command" value="begin">"Begin maintenance"</button>
            </form>
        }
    });
    let empty = (stage == MaintenanceStage::Draining)
        .then(|| view! { <HostLink href=format!("/hosts/{name}/empty")>"Empty this host"</HostLink> });
    let home = evacuation.map(|evacuation| {
        // Of one that brings VMs home, those that were left are those of the one before.
        let before = match evacuation.request.subject {
            model::Subject::Home(before) => before,
            model::Subject::Hosts(_) | model::Subject::Vms(_) => evacuation.id,
        };
        view! {
            <form method="post" action="/plans">
                <input type="hidden" name="home" value=before.to_string() />
                <input type="hidden" name="reason" value=reason />
                <button class="button">"Bring back"</button>
            </form>
        }
    });
    view! {
        <div class="buttons">
            <form method="post" action=of_host>
                <button class="button" name="command" value="end">"In use again"</button>
            </form>
            {empty}
            {home}
            {begin}
        </div>
    }
}
