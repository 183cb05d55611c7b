//! The VMs as a table; on a phone, each row is a card.

use leptos::wasm_bindgen::JsCast;
use leptos::{ev::MouseEvent, prelude::*, web_sys};
use model::{Migration, Vm, VmAction, VmId, text};

use crate::api::vms::Act;
use crate::components::{
    icon::{Draw, Icon},
    progress::{Bar, percent_memo},
    vm_action_form::action_slug,
};
use crate::list::{Column, VmQuery};
use crate::live::Live;

/// What a click in a row asks the page for. Without WASM the same links lead to pages that ask.
#[derive(Clone, Copy)]
pub(crate) struct RowActions {
    /// Opens the migrate dialog for a VM.
    pub migrate: RwSignal<Option<VmId>>,
    /// Opens the confirmation of an action.
    pub confirm: RwSignal<Option<(VmId, VmAction)>>,
    /// Does what needs no confirmation.
    pub act: ServerAction<Act>,
}

/// The table of these VMs, in this order.
#[component]
pub(crate) fn VmTable(vms: Memo<Vec<VmId>>, query: Memo<VmQuery>) -> impl IntoView {
    // Explicit roles: the style sheet lays rows out as cards, which takes the implicit ones away.
    view! {
        <table role="table" class="table vms">
            <caption class="hidden">"VMs on all hosts"</caption>
            <thead role="rowgroup">
                <tr role="row">
                    {Column::ALL.map(|column| view! { <SortHeader column query /> })}
                    <th role="columnheader" scope="col">
                        <span class="hidden">"Actions"</span>
                    </th>
                </tr>
            </thead>
            <tbody role="rowgroup">
                <For each=move || vms.get() key=|id| *id let:id>
                    <Row id />
                </For>
            </tbody>
        </table>
    }
    .into_any()
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
        <th role="columnheader" scope="col" class:number=number aria-sort=sorted>
            <a href=move || query.read().sorted_by(column).to_url()>{column.label()}</a>
        </th>
    }
    .into_any()
}

#[component]
fn Row(id: VmId) -> impl IntoView {
    let vm: Signal<Vm> = expect_context::<Live>().vms.get_untracked(&id)?.into();
    let state = Memo::new(move |_| vm.read().state);
    let copies = move || {
        let copies: Vec<_> =
            vm.read().other_copies.iter().map(|copy| format!("{} ({})", copy.host, copy.state.as_str())).collect();
        (!copies.is_empty()).then(|| view! { <small>{format!("also on {}", copies.join(", "))}</small> })
    };
    Some(
        view! {
            <tr role="row" data-vm=move || vm.read().name.clone()>
                <th role="rowheader" scope="row" class="vm-name">
                    {move || vm.read().name.clone()}
                </th>
                <td role="cell" class="vm-host">
                    {move || vm.read().host.to_string()} {copies}
                </td>
                <td role="cell" class="vm-state">
                    <span class="state" data-state=move || state.get().as_str()>
                        {move || state.get().as_str()}
                    </span>
                </td>
                <td role="cell" class="vm-cpus number">
                    {move || vm.read().vcpus} <span class="unit">{move || if vm.read().vcpus == 1 { " CPU" } else { " CPUs" }}</span>
                </td>
                <td role="cell" class="vm-memory number">{move || text::bytes(vm.read().memory_bytes)}</td>
                <td role="cell" class="vm-actions">
                    <MigrateOrBar vm />
                    <Menu vm />
                </td>
            </tr>
        }
        .into_any(),
    )
}

/// The Migrate button; while the VM moves, its bar is in the same place, so that nothing jumps.
#[component]
fn MigrateOrBar(vm: Signal<Vm>) -> impl IntoView {
    let live = expect_context::<Live>();
    let asked = expect_context::<RowActions>().migrate;
    let migration = Memo::new(move |_| vm.read().migration.map(|id| live.migrations.get(&id)));
    let id = vm.read_untracked().id;
    move || match migration.get() {
        Some(Some(migration)) => view! { <InlineBar migration=migration.into() /> }.into_any(),
        Some(None) => view! { <span class="moving">"Migrating"</span> }.into_any(),
        None => view! {
            <a
                class="button migrate"
                href=format!("/vms/{id}/migrate")
                on:click=move |click| instead(&click, || asked.set(Some(id)))
            >
                "Migrate"
                <span class="hidden">{move || format!(" {}", vm.read().name)}</span>
            </a>
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
                <span>{format!("to {destination}")}</span>
                <span class="number">{move || text::percent(percent.get())}</span>
            </span>
            <Bar migration percent />
        </a>
    }
    .into_any()
}

/// What else can be done to a VM. A native popover: it opens, closes and takes the keyboard without WASM.
#[component]
fn Menu(vm: Signal<Vm>) -> impl IntoView {
    let RowActions { confirm, act, .. } = expect_context();
    let id = vm.read_untracked().id;
    let menu = format!("menu-{id}");
    let possible = Memo::new(move |_| {
        let state = vm.read().state;
        VmAction::ALL.into_iter().filter(|action| action.is_possible(state)).collect::<Vec<_>>()
    });
    let on_click = move |click: MouseEvent, action: VmAction| {
        close_popover(&click);
        instead(&click, || {
            if action.needs_confirmation() {
                confirm.set(Some((id, action)));
            } else {
                act.dispatch(Act { vm: id, action });
            }
        });
    };
    let item = move |action: VmAction| {
        view! {
            <a
                href=format!("/vms/{id}/{}", action_slug(action))
                class:danger=action.needs_confirmation()
                on:click=move |click| on_click(click, action)
            >
                {action.label()}
            </a>
        }
    };
    view! {
        <button
            type="button"
            class="icon-button"
            popovertarget=menu.clone()
            aria-label=move || format!("More actions for {}", vm.read().name)
            disabled=move || possible.read().is_empty()
        >
            <Draw icon=Icon::More />
        </button>
        <div id=menu class="menu" popover="auto">
            <p class="menu-head">{move || vm.read().name.clone()}</p>
            {move || possible.get().into_iter().map(item).collect_view()}
        </div>
    }
    .into_any()
}

/// Does something in place of following a link, unless the link is to be opened elsewhere (in another tab, say).
fn instead(click: &MouseEvent, action: impl FnOnce()) {
    if click.button() == 0 && !(click.ctrl_key() || click.meta_key() || click.shift_key() || click.alt_key()) {
        click.prevent_default();
        action();
    }
}

fn close_popover(click: &MouseEvent) {
    let link = click.current_target().and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok());
    let popover = link.and_then(|link| link.closest("[popover]").ok().flatten());
    if let Some(popover) = popover.and_then(|popover| popover.dyn_into::<web_sys::HtmlElement>().ok()) {
        // Fails only if it is closed already.
        let _ = popover.hide_popover();
    }
}
