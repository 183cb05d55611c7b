//! An evacuation on its page: how far it is, its VMs, and what happened.

use leptos::prelude::*;
use model::{Evacuation, EvacuationEvent, Subject};

use crate::evacuations::{card::ProgressCard, queue::Queue, words};
use crate::ui::{
    icon::{Draw, Icon},
    time::Time,
};

#[component]
pub(super) fn Shown(evacuation: Evacuation, events: Vec<EvacuationEvent>) -> impl IntoView {
    let title = words::title(&evacuation.request);
    let Evacuation { requested_by, created_at_ms, ended_at_ms, .. } = evacuation.clone();
    let reason = Some(evacuation.request.reason.clone()).filter(|reason| !reason.is_empty());
    let hosts: Vec<_> = evacuation
        .request
        .emptied()
        .iter()
        .map(|host| view! { " · " <a href=format!("/hosts/{host}")>{format!("Host {host}")}</a> })
        .collect();
    let before = match evacuation.request.subject {
        Subject::Home(before) => {
            Some(view! { " · " <a href=format!("/evacuations/{before}")>"The evacuation before"</a> })
        }
        Subject::Hosts(_) | Subject::Vms(_) => None,
    };
    let ended = ended_at_ms.map(|ms| view! { ", ended " <Time ms /> });
    let entry = |EvacuationEvent { at_ms, text }: EvacuationEvent| {
        view! {
            <li>
                <Time ms=at_ms />
                <span class="event">{text}</span>
            </li>
        }
    };
    view! {
        <p class="back">
            <a href="/evacuations" rel="external">
                <Draw icon=Icon::Back />
                "Evacuations"
            </a>
        </p>
        <h1>{title}</h1>
        {reason.map(|reason| view! { <p>{reason}</p> })}
        <p class="hint">"By " {requested_by} ", " <Time ms=created_at_ms /> {ended} {hosts} {before}</p>
        <ProgressCard evacuation=evacuation.clone() />
        <Queue evacuation />
        <section class="card">
            <h2>"History"</h2>
            <ol class="history">{events.into_iter().map(entry).collect_view()}</ol>
        </section>
    }
}
