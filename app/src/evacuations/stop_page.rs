//! `/evacuations/<id>/stop`: the question before an evacuation is stopped; and refusals of what evacuations and hosts were told.

use leptos::prelude::*;
use model::{Evacuation, EvacuationId, HostName, ItemState, Problem};

use crate::evacuations::words;
use crate::ui::{
    document::{Assets, Back, Document, FormProblem},
    fields::{FormFoot, RadioField},
};

fn back_to(id: EvacuationId) -> Back {
    Back { href: format!("/evacuations/{id}"), label: "Evacuation" }
}

/// The page.
pub fn stop_evacuation(assets: Assets, evacuation: &Evacuation) -> Document {
    let id = evacuation.id;
    let title = format!("Stop: {}?", words::within_title(&evacuation.request));
    let moving = evacuation.count(|state| matches!(state, ItemState::Moving { .. }));
    let waiting = evacuation.count(|state| matches!(state, ItemState::Waiting | ItemState::WaitsForPerson { .. }));
    let waiting = match waiting {
        0 => String::new(),
        1 => "1 VM that waits will not move. ".to_owned(),
        count => format!("{count} VMs that wait will not move. "),
    };
    let consequence = format!("{waiting}VMs that have moved stay where they are.");
    Document::new(assets, back_to(id), &title, move || {
        view! {
            <form method="post" action=format!("/evacuations/{id}/tell") class="card">
                <input type="hidden" name="command" value="stop" />
                <p>{consequence}</p>
                <fieldset class="choices">
                    <legend>{format!("{} under way", words::vm_count(moving))}</legend>
                    <RadioField name="cancel" value="false" label="Let what moves go on" checked=true />
                    <RadioField
                        name="cancel"
                        value="true"
                        label="Cancel it"
                        hint="Those VMs stay where they run."
                        checked=false
                    />
                </fieldset>
                <FormFoot back=format!("/evacuations/{id}") label="Stop" class="button danger" />
            </form>
        }
    })
}

/// That an evacuation was not told what it was to be told.
pub fn evacuation_refused(assets: Assets, id: EvacuationId, problem: Problem) -> Document {
    Document::new(assets, back_to(id), "Request failed", || view! { <FormProblem problem /> })
}

/// That a host did not enter or leave maintenance.
pub fn maintenance_refused(assets: Assets, host: &HostName, problem: Problem) -> Document {
    let back = Back { href: format!("/hosts/{host}"), label: "Host" };
    Document::new(assets, back, "Request failed", || view! { <FormProblem problem /> })
}
