//! The VMs as a table; on a phone, each row is a card.

use leptos::{html, prelude::*};
use model::{Column, Migration, Vm, VmQuery, VmRow, text};

use crate::live::Live;
use crate::migrations::{
    attention::in_doubt,
    migrate_form::migrate_question,
    progress::{Bar, percent_memo},
};
use crate::ui::dialog::QuestionLink;
use crate::vms::{
    menu::Menu,
    query::{at, heading, sorted_by, to_url},
    section::Section,
    selection::bar::{Tick, TickAll, turned},
};

/// The table of the VMs asked for: the rows near the view, and room for the others.
#[component]
pub(crate) fn VmTable(query: Memo<VmQuery>) -> impl IntoView {
    let live = expect_context::<Live>();
    // A memo, so that a VM that changes touches its own row and not the list.
    let rows = Memo::new(move |_| live.list.read().as_ref().map(|list| list.rows.clone()).unwrap_or_default());
    let body = NodeRef::<html::Tbody>::new();
    let section = Section::follow(body);
    // Explicit roles: the style sheet lays rows out as cards, which takes the implicit ones away.
    view! {
        <table role="table" class="table vms" on:change=turned>
            <caption class="hidden">"VMs on all hosts"</caption>
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader" class="vm-tick">
                        <TickAll />
                    </th>
                    {Column::ALL.iter().map(|column| view! { <SortHeader column=*column query /> }).collect_view()}
                    <th role="columnheader">
                        <span class="hidden">"Actions"</span>
                    </th>
                </tr>
            </thead>
            <tbody role="rowgroup" node_ref=body>
                <Room rows=Signal::derive(move || section.before()) section />
                <For each=move || rows.get() key=VmRow::clone let:row>
                    <Row row />
                </For>
                <Room rows=Signal::derive(move || section.after()) section />
            </tbody>
        </table>
        <Pages query section />
    }
}

/// The room that rows would take which are not near the view.
#[component]
fn Room(rows: Signal<u32>, section: Section) -> impl IntoView {
    let height = move || {
        (rows.get() > 0).then(|| format!("{}px", (f64::from(rows.get()) * section.row_px.get()).round() as u64))
    };
    view! {
        <tr class="room" aria-hidden="true" hidden=move || rows.get() == 0 style:height=height>
            <td></td>
        </tr>
    }
}

/// Links to the rows before and after those of this page, and how many there are.
#[component]
fn Pages(query: Memo<VmQuery>, section: Section) -> impl IntoView {
    let shown = move || {
        let (from, end, all) = section.range();
        (from > 0 || end < all).then(|| format!("{} to {end} of {all}", from + 1))
    };
    let link = move |from: Option<u32>, label: &'static str| {
        from.map(|from| view! { <a class="button" href=at(&query.read(), from)>{label}</a> })
    };
    view! {
        <nav class="pages" aria-label="Pages" hidden=move || shown().is_none()>
            {move || link(section.previous(), "Previous")}
            <span class="hint">{shown}</span>
            {move || link(section.next(), "Next")}
        </nav>
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
            <a href=move || to_url(&sorted_by(&query.read(), column))>{heading(column)}</a>
        </th>
    }
}

/// The VM of a row, for as long as it is listed.
fn vm_of(row: VmRow, live: Live) -> Option<Signal<Vm>> {
    let first = live.vms.get_untracked(&row.vm)?;
    let Some(host) = row.twin_on else { return Some(first.into()) };
    let find = move |first: &Vm| first.each().into_iter().find(|vm| vm.host == host);
    let last_known = find(&first.read_untracked())?;
    Some(Signal::derive(move || find(&first.read()).unwrap_or_else(|| last_known.clone())))
}

#[component]
fn Row(row: VmRow) -> impl IntoView {
    let live = expect_context::<Live>();
    let (id, is_twin) = (row.vm, row.twin_on.is_some());
    let vm = vm_of(row, live)?;
    let is_mistakable = Memo::new(move |_| is_twin || vm.read().is_mistakable());
    let twins = move || {
        let vm = vm.read();
        let twins: Vec<_> = vm.twins.iter().map(|twin| format!("{} on {}", twin.name, twin.host)).collect();
        (!twins.is_empty())
            .then(|| view! { <small class="copies">{format!("same UUID as {}", twins.join(", "))}</small> })
    };
    let state = Memo::new(move |_| vm.read().state);
    let in_doubt = Memo::new(move |_| in_doubt(live, id));
    let doubt = move || {
        let link = |id| view! { <a class="doubt" href=format!("/migrations/{id}")>"Needs attention"</a> };
        in_doubt.get().map(link)
    };
    let copies = move || {
        let vm = vm.read();
        let copies: Vec<_> =
            vm.other_copies.iter().map(|copy| format!("{} ({})", copy.host, copy.state.as_str())).collect();
        (!copies.is_empty()).then(|| view! { <small class="copies">{format!("also on {}", copies.join(", "))}</small> })
    };
    Some(view! {
        <tr role="row" data-vm=move || vm.read().name.clone()>
            <td role="cell" class="vm-tick">
                {(!is_twin).then(|| view! { <Tick vm=id name=vm.read_untracked().name.clone() /> })}
            </td>
            <th role="rowheader" class="vm-name">
                <Show when=move || !is_twin fallback=move || vm.read().name.clone()>
                    <a href=format!("/vms/{id}")>{move || vm.read().name.clone()}</a>
                </Show>
                {twins}
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
pub(super) fn MigrateOrBar(vm: Signal<Vm>) -> impl IntoView {
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
    use model::{Scope, Snapshot, examples};

    use super::*;

    #[test]
    fn each_of_two_vms_with_one_uuid_has_a_row() {
        let owner = Owner::new();
        owner.set();
        let live = Live::new(Scope::default());
        let twin = examples::vm(1, "shop-copy", "blue");
        let shop = Vm { twins: vec![twin], ..examples::vm(1, "shop", "red") };
        live.start_from(Snapshot { vms: vec![shop.clone()], ..Snapshot::default() });
        let row = |twin_on: Option<&str>| VmRow { vm: shop.id, twin_on: twin_on.map(|host| host.parse().unwrap()) };
        let shown = [row(None), row(Some("blue"))].map(|row| vm_of(row, live).unwrap().get_untracked().name);
        assert_eq!(shown, ["shop", "shop-copy"]);
    }
}
