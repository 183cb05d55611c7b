//! The VMs as a table; on a phone, each row is a card.

use leptos::prelude::*;
use model::{Migration, Vm, VmId, text};

use crate::live::Live;
use crate::migrations::{
    attention::Attention,
    migrate_form::migrate_question,
    progress::{Bar, percent_memo},
};
use crate::ui::dialog::QuestionLink;
use crate::vms::{
    menu::Menu,
    query::{Column, VmQuery},
};

/// The table of the VMs asked for.
#[component]
pub(crate) fn VmTable(query: Memo<VmQuery>) -> impl IntoView {
    let live = expect_context::<Live>();
    // A memo, so that a VM that changes touches its own row and not the list.
    let ids =
        Memo::new(move |_| query.read().select(live.vms.values()).into_iter().map(|vm| vm.id).collect::<Vec<_>>());
    // Explicit roles: the style sheet lays rows out as cards, which takes the implicit ones away.
    view! {
        <table role="table" class="table vms">
            <caption class="hidden">"VMs on all hosts"</caption>
            <thead role="rowgroup">
                <tr role="row">
                    {Column::ALL.into_iter().map(|column| view! { <SortHeader column query /> }).collect_view()}
                    <th role="columnheader">
                        <span class="hidden">"Actions"</span>
                    </th>
                </tr>
            </thead>
            <tbody role="rowgroup">
                <For each=move || ids.get() key=|id| *id let:id>
                    <Row id />
                </For>
            </tbody>
        </table>
    }
}

#[component]
fn SortHeader(column: Column, query: Memo<VmQuery>) -> impl IntoView {
    let sorted = move || {
        let query = query.read();
        match (query.sort == column, query.descending) {
            (true, true) => "descending",
            (true, false) => "ascending",
            (false, _) => "none",
        }
    };
    let number = matches!(column, Column::Cpus | Column::Memory);
    view! {
        <th role="columnheader" class:number=number aria-sort=sorted>
            <a href=move || query.read().sorted_by(column).to_url()>{column.label()}</a>
        </th>
    }
}

#[component]
fn Row(id: VmId) -> impl IntoView {
    let vm: Signal<Vm> = expect_context::<Live>().vms.get_untracked(&id)?.into();
    let state = Memo::new(move |_| vm.read().state);
    let attention = expect_context::<Attention>();
    let doubt = move || {
        let link = |id| view! { <a class="doubt" href=format!("/migrations/{id}")>"Needs attention"</a> };
        attention.of(id).map(link)
    };
    let copies = move || {
        let vm = vm.read();
        let copies: Vec<_> =
            vm.other_copies.iter().map(|copy| format!("{} ({})", copy.host, copy.state.as_str())).collect();
        (!copies.is_empty()).then(|| view! { <small class="copies">{format!("also on {}", copies.join(", "))}</small> })
    };
    Some(view! {
        <tr role="row" data-vm=move || vm.read().name.clone()>
            <th role="rowheader" class="vm-name">
                {move || vm.read().name.clone()}
            </th>
            <td role="cell" class="vm-host">
                {move || vm.read().host.to_string()} {copies}
            </td>
            <td role="cell" class="vm-state">
                <span class="state" data-state=move || state.get().as_str()>
                    {move || state.get().as_str()}
                </span>
                {doubt}
            </td>
            <td role="cell" class="vm-cpus number">
                {move || vm.read().vcpus.to_string()}
                <span class="unit">{move || if vm.read().vcpus == 1 { " CPU" } else { " CPUs" }}</span>
            </td>
            <td role="cell" class="vm-memory number">{move || text::bytes(vm.read().memory_bytes)}</td>
            <td role="cell" class="vm-actions">
                <MigrateOrBar vm />
                <Menu vm />
            </td>
        </tr>
    })
}

/// The Migrate button; while the VM moves, its bar is in the same place, so that nothing jumps.
#[component]
fn MigrateOrBar(vm: Signal<Vm>) -> impl IntoView {
    let live = expect_context::<Live>();
    let migration = Memo::new(move |_| vm.read().migration.map(|id| live.migrations.get(&id)));
    let id = vm.read_untracked().id;
    move || match migration.get() {
        Some(Some(migration)) => view! { <InlineBar migration=migration.into() /> }.into_any(),
        Some(None) => view! { <span class="moving">"Migrating"</span> }.into_any(),
        None => view! {
            <QuestionLink class="button migrate" question=move || migrate_question(live, id)>
                "Migrate"
                <span class="hidden">{move || format!(" {}", vm.read().name)}</span>
            </QuestionLink>
        }
        .into_any(),
    }
}

#[component]
fn InlineBar(migration: Signal<Migration>) -> impl IntoView {
    let percent = percent_memo(migration);
    let Migration { id, destination, .. } = migration.get_untracked();
    view! {
        <a class="moving" href=format!("/migrations/{id}")>
            <span class="moving-text">
                <span class="to">{format!("to {destination}")}</span>
                <span class="number">{move || text::percent(percent.get())}</span>
            </span>
            <Bar migration percent />
        </a>
    }
}
