//! The VMs as a table; on a phone, each row is a card.

use leptos::prelude::*;
use model::{HostName, Migration, Vm, VmId, text};

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
    let rows = Memo::new(move |_| {
        let all = live.vms.values().iter().flat_map(Vm::each).collect();
        query.read().select(all).into_iter().map(|vm| RowKey::of(live, &vm)).collect::<Vec<_>>()
    });
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
                <For each=move || rows.get() key=RowKey::clone let:key>
                    <Row key />
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

/// Which VM a row shows. Several may have one UUID: the host tells those from each other that the UUID does not stand for. A VM that it
/// does stand for keeps its row wherever it moves.
#[derive(Clone, PartialEq, Eq, Hash)]
struct RowKey {
    id: VmId,
    twin_on: Option<HostName>,
}

impl RowKey {
    fn of(live: Live, vm: &Vm) -> Self {
        let first = live.vms.get_untracked(&vm.id).map(|first| first.read_untracked().host.clone());
        Self { id: vm.id, twin_on: first.filter(|first| *first != vm.host).map(|_| vm.host.clone()) }
    }

    /// The VM, for as long as it is listed.
    fn vm(self, live: Live) -> Option<Signal<Vm>> {
        let first = live.vms.get_untracked(&self.id)?;
        let Some(host) = self.twin_on else { return Some(first.into()) };
        let find = move |first: &Vm| first.each().into_iter().find(|vm| vm.host == host);
        let last_known = find(&first.read_untracked())?;
        Some(Signal::derive(move || find(&first.read()).unwrap_or_else(|| last_known.clone())))
    }
}

#[component]
fn Row(key: RowKey) -> impl IntoView {
    let (id, is_twin) = (key.id, key.twin_on.is_some());
    let vm = key.vm(expect_context::<Live>())?;
    let is_mistakable = Memo::new(move |_| is_twin || vm.read().is_mistakable());
    let twins = move || {
        let vm = vm.read();
        let twins: Vec<_> = vm.twins.iter().map(|twin| format!("{} on {}", twin.name, twin.host)).collect();
        (!twins.is_empty())
            .then(|| view! { <small class="copies">{format!("same UUID as {}", twins.join(", "))}</small> })
    };
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
                {move || vm.read().name.clone()} {twins}
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
                <Show when=move || !is_mistakable.get()>
                    <MigrateOrBar vm />
                    <Menu vm />
                </Show>
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

#[cfg(test)]
mod tests {
    use model::{Snapshot, examples};

    use super::*;

    #[test]
    fn each_of_two_vms_with_one_uuid_has_a_row() {
        let owner = Owner::new();
        owner.set();
        let live = Live::new();
        let twin = examples::vm(1, "shop-copy", "blue");
        let shop = Vm { twins: vec![twin], ..examples::vm(1, "shop", "red") };
        live.start_from(Snapshot { vms: vec![shop.clone()], ..Snapshot::default() });
        let rows: Vec<RowKey> = shop.each().iter().map(|vm| RowKey::of(live, vm)).collect();
        assert!(rows[0] != rows[1] && rows[0].twin_on.is_none());
        let shown = rows.into_iter().map(|row| row.vm(live).unwrap().get_untracked().name);
        assert_eq!(shown.collect::<Vec<_>>(), ["shop", "shop-copy"]);
    }
}
