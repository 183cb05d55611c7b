//! `/evacuations`: the newest evacuations.

use leptos::prelude::*;
use model::{Evacuation, text};

use crate::evacuations::words;
use crate::ui::{
    document::{Assets, Back, Document},
    icon::{Draw, Icon},
    table::Table,
    time::Time,
};

/// The page.
pub fn evacuations(assets: Assets, evacuations: Vec<Evacuation>) -> Document {
    Document::wide(assets, Back::to_hosts(), "Evacuations", || view! { <List evacuations /> })
}

#[component]
fn List(evacuations: Vec<Evacuation>) -> impl IntoView {
    if evacuations.is_empty() {
        return view! {
            <div class="empty">
                <Draw icon=Icon::Hosts />
                <h2>"No evacuations yet"</h2>
                <p>"A host is emptied from its page: its VMs move to others while they run, and come home when it is in use again."</p>
            </div>
        }
        .into_any();
    }
    view! {
        <Table
            class="moves"
            caption="Evacuations, newest first"
            columns=&["Evacuation", "State", "Reason", "By", "Began"]
        >
            {evacuations.into_iter().map(|evacuation| view! { <Row evacuation /> }).collect_view()}
        </Table>
    }
    .into_any()
}

#[component]
fn Row(evacuation: Evacuation) -> impl IntoView {
    let title = words::title(&evacuation.request);
    let Evacuation { id, request, requested_by, created_at_ms, state, fraction, .. } = evacuation;
    let percent = (!state.has_ended()).then(|| format!(", {}", text::percent(fraction * 100.0)));
    view! {
        <tr role="row">
            <th role="rowheader">
                <a href=format!("/evacuations/{id}")>{title}</a>
            </th>
            <td role="cell">{state.label()} {percent}</td>
            <td role="cell">{request.reason}</td>
            <td role="cell">{requested_by}</td>
            <td role="cell"><Time ms=created_at_ms /></td>
        </tr>
    }
}
