//! The VMs of an evacuation: those that wait for a person first, then the queue in its order, then those that are done with.

use leptos::prelude::*;
use model::{Evacuation, EvacuationId, EvacuationItem, ItemState, MigrationId, Problem, Tried, VmId, text};

use crate::evacuations::words;
use crate::migrations::progress::FromTo;
use crate::ui::{
    icon::{Draw, Icon},
    problem::ProblemText,
    table::Table,
};

/// All of them.
#[component]
pub(super) fn Queue(evacuation: Evacuation) -> impl IntoView {
    let (id, is_open) = (evacuation.id, !evacuation.state.has_ended());
    let first_in_line = evacuation.items.iter().find(|item| item.state == ItemState::Waiting).map(|item| item.vm);
    let mut items: Vec<(usize, EvacuationItem)> =
        evacuation.items.into_iter().enumerate().map(|(place, item)| (place + 1, item)).collect();
    items.sort_by_key(|(_, item)| rank(&item.state));
    let stuck: Vec<_> = items
        .iter()
        .filter_map(|(_, item)| match &item.state {
            ItemState::WaitsForPerson { problem } => Some((item.clone(), problem.clone())),
            _ => None,
        })
        .map(|(item, problem)| view! { <Stuck id is_open item problem /> })
        .collect();
    let rows: Vec<_> = items
        .into_iter()
        .filter(|(_, item)| !matches!(item.state, ItemState::WaitsForPerson { .. }))
        .map(|(number, item)| {
            let can_be_first = first_in_line.is_some_and(|vm| vm != item.vm);
            view! { <Row id is_open can_be_first number item /> }
        })
        .collect();
    let table = (!rows.is_empty()).then(|| {
        view! {
            <Table
                class="moves"
                caption="VMs, in the order in which they go"
                columns=&["No.", "VM", "From and to", "State", "Actions"]
            >
                {rows}
            </Table>
        }
    });
    view! {
        {stuck}
        {table}
    }
}

/// What moves is first, then what waits, then what is over.
fn rank(state: &ItemState) -> u8 {
    match state {
        ItemState::WaitsForPerson { .. } => 0,
        ItemState::Moving { .. } => 1,
        ItemState::Waiting => 2,
        ItemState::Stays { .. } | ItemState::Skipped { .. } => 3,
        ItemState::Moved { .. } | ItemState::Gone { .. } => 4,
    }
}

/// A VM that waits for a person.
#[component]
fn Stuck(id: EvacuationId, is_open: bool, item: EvacuationItem, problem: Problem) -> impl IntoView {
    let EvacuationItem { vm, vm_name, source, tried, .. } = item.clone();
    let heading = format!("{vm_name} on {source} waits for a person");
    view! {
        <div class="note note-bad stuck" id=format!("vm-{vm}") data-vm=vm_name>
            <Draw icon=Icon::Warning />
            <div class="note-text">
                <p class="what"><strong>{heading}</strong></p>
                <ProblemText problem />
                <Attempts vm tried />
                {is_open.then(|| view! { <Commands id item commands=vec![("retry", "Try again"), ("skip", "Skip")] /> })}
            </div>
        </div>
    }
}

#[component]
fn Row(id: EvacuationId, is_open: bool, can_be_first: bool, number: usize, item: EvacuationItem) -> impl IntoView {
    let EvacuationItem { vm, vm_name, source, destination, via, waits_for, tried, appeared, expected_ms, .. } =
        item.clone();
    let way = match destination {
        Some(destination) => view! { <FromTo source destination /> }.into_any(),
        None => source.to_string().into_any(),
    };
    let via = via.map(|host| view! { <small class="hint">{format!("waits on {host} until there is room")}</small> });
    let appeared = appeared.then(|| view! { <span class="tag">"came later"</span> });
    let waits_for = waits_for.map(|words| view! { <small class="hint">{words}</small> });
    let commands = match (&item.state, is_open) {
        (_, false) => Vec::new(),
        (ItemState::Waiting, true) if can_be_first => vec![("first", "First"), ("skip", "Skip")],
        (ItemState::Waiting, true) => vec![("skip", "Skip")],
        (ItemState::Moving { .. }, true) => vec![("skip", "Skip")],
        (ItemState::Skipped { .. }, true) => vec![("retry", "Try again")],
        (
            ItemState::WaitsForPerson { .. }
            | ItemState::Moved { .. }
            | ItemState::Stays { .. }
            | ItemState::Gone { .. },
            true,
        ) => Vec::new(),
    };
    let state = item.state.clone();
    view! {
        <tr role="row" id=format!("vm-{vm}") data-vm=vm_name>
            <td role="cell" class="place">{number}</td>
            <th role="rowheader">
                <a href=format!("/vms/{vm}")>{vm_name.clone()}</a>
                {appeared}
            </th>
            <td role="cell">{way} {via}</td>
            <td role="cell">
                <StateWords state expected_ms />
                {waits_for}
                <Attempts vm tried />
            </td>
            <td role="cell">{(!commands.is_empty()).then(|| view! { <Commands id item commands /> })}</td>
        </tr>
    }
}

#[component]
fn StateWords(state: ItemState, expected_ms: u64) -> impl IntoView {
    let link = |migration: MigrationId, words: &'static str| {
        view! { <a href=format!("/migrations/{migration}")>{words}</a> }.into_any()
    };
    match state {
        ItemState::Waiting => format!("waits, takes about {}", text::duration(expected_ms)).into_any(),
        ItemState::Moving { migration } => link(migration, "moves"),
        ItemState::Moved { migration: Some(migration) } => link(migration, "has moved"),
        ItemState::Moved { migration: None } => "is there".into_any(),
        ItemState::Stays { choice: Some(choice), .. } => words::chosen(choice).into_any(),
        ItemState::Stays { problem: Some(problem), .. } => {
            view! { "stays" <small class="hint">{problem.sentence}</small> }.into_any()
        }
        ItemState::Stays { problem: None, choice: None } => "stays".into_any(),
        ItemState::WaitsForPerson { problem } => problem.sentence.into_any(),
        ItemState::Skipped { by } => format!("left out by {by}").into_any(),
        ItemState::Gone { sentence } => sentence.into_any(),
    }
}

/// What was tried and failed.
#[component]
fn Attempts(vm: VmId, tried: Vec<Tried>) -> impl IntoView {
    let entry = |Tried { destination, migration, problem }: Tried| {
        let link = migration.map(|id| view! { " " <a href=format!("/migrations/{id}")>"Show"</a> });
        view! { <li>{format!("To {destination}: {}", problem.sentence)} {link}</li> }
    };
    let summary = match tried.len() {
        0 => return ().into_any(),
        1 => "1 attempt failed".to_owned(),
        count => format!("{count} attempts failed"),
    };
    view! {
        <details class="raw" id=format!("tried-{vm}")>
            <summary>{summary}</summary>
            <ul class="found">{tried.into_iter().map(entry).collect_view()}</ul>
        </details>
    }
    .into_any()
}

/// Buttons that tell the evacuation something about a VM.
#[component]
fn Commands(id: EvacuationId, item: EvacuationItem, commands: Vec<(&'static str, &'static str)>) -> impl IntoView {
    let EvacuationItem { vm, vm_name, .. } = item;
    let button = |(command, label): (&'static str, &'static str)| {
        view! {
            <button class="button" id=format!("{command}-{vm}") name="command" value=command>
                {label} <span class="hidden">{format!(": {vm_name}")}</span>
            </button>
        }
    };
    view! {
        <form method="post" action=format!("/evacuations/{id}/tell") class="buttons">
            <input type="hidden" name="vm" value=vm.to_string() />
            {commands.into_iter().map(button).collect_view()}
        </form>
    }
}
