//! The VMs as a table; on a phone, each row is a card.

use leptos::wasm_bindgen::JsCast;
use leptos::{ev::MouseEvent, prelude::*, web_sys};
use model::{Migration, Vm, VmAction, VmId, text};

use crate::live::Live;
use crate::migrations::progress::Bar;
use crate::migrations::progress::percent_memo;
use crate::ui::Erased;
use crate::ui::dialog::Asked;
use crate::ui::dialog::instead_of_link;
use crate::ui::dynamic;
use crate::ui::icon::Draw;
use crate::ui::icon::Icon;
use crate::ui::keyed;
use crate::ui::post::Post;
use crate::ui::question::Question;
use crate::vms::action_form::action_slug;
use crate::vms::query::Column;
use crate::vms::query::VmQuery;

/// The table of the VMs asked for.
#[component]
pub(crate) fn VmTable(query: Memo<VmQuery>) -> impl IntoView {
    let live = expect_context::<Live>();
    let ids = move || query.read().select(live.vms.values()).into_iter().map(|vm| vm.id).collect();
    // Explicit roles: the style sheet lays rows out as cards, which takes the implicit ones away.
    view! {
        <table role="table" class="table vms">
            <caption class="hidden">"VMs on all hosts"</caption>
            <thead role="rowgroup">
                <tr role="row">
                    {Column::ALL.into_iter().map(|column| view! { <SortHeader column query /> }.erased()).collect::<Vec<_>>()}
                    <th role="columnheader">
                        <span class="hidden">"Actions"</span>
                    </th>
                </tr>
            </thead>
            <tbody role="rowgroup">
                {keyed(ids, |id| view! { <Row id /> }.erased())}
            </tbody>
        </table>
    }
    .erased()
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
    .erased()
}

#[component]
fn Row(id: VmId) -> impl IntoView {
    let vm: Signal<Vm> = expect_context::<Live>().vms.get_untracked(&id)?.into();
    let state = Memo::new(move |_| vm.read().state);
    let copies = move || {
        let copies: Vec<_> =
            vm.read().other_copies.iter().map(|copy| format!("{} ({})", copy.host, copy.state.as_str())).collect();
        (!copies.is_empty())
            .then(|| view! { <small class="copies">{format!("also on {}", copies.join(", "))}</small> }.erased())
    };
    Some(
        view! {
            <tr role="row" data-vm=move || vm.read().name.clone()>
                <th role="rowheader" class="vm-name">
                    {move || vm.read().name.clone()}
                </th>
                <td role="cell" class="vm-host">
                    {move || vm.read().host.to_string()} {move || copies()}
                </td>
                <td role="cell" class="vm-state">
                    <span class="state" data-state=move || state.get().as_str()>
                        {move || state.get().as_str()}
                    </span>
                </td>
                <td role="cell" class="vm-cpus number">
                    {move || vm.read().vcpus.to_string()} <span class="unit">{move || if vm.read().vcpus == 1 { " CPU" } else { " CPUs" }}</span>
                </td>
                <td role="cell" class="vm-memory number">{move || text::bytes(vm.read().memory_bytes)}</td>
                <td role="cell" class="vm-actions">
                    <MigrateOrBar vm />
                    <Menu vm />
                </td>
            </tr>
        }
        .erased(),
    )
}

/// The Migrate button; while the VM moves, its bar is in the same place, so that nothing jumps.
#[component]
fn MigrateOrBar(vm: Signal<Vm>) -> impl IntoView {
    let live = expect_context::<Live>();
    let asked = expect_context::<Asked>();
    let migration = Memo::new(move |_| vm.read().migration.map(|id| live.migrations.get(&id)));
    let id = vm.read_untracked().id;
    dynamic(move || match migration.get() {
        Some(Some(migration)) => view! { <InlineBar migration=migration.into() /> }.erased(),
        Some(None) => view! { <span class="moving">"Migrating"</span> }.erased(),
        None => view! {
            <a
                class="button migrate"
                href=Question::Migrate(id).address()
                on:click=move |click| instead_of_link(&click, || asked.set(Some(Question::Migrate(id))))
            >
                "Migrate"
                <span class="hidden">{move || format!(" {}", vm.read().name)}</span>
            </a>
        }
        .erased(),
    })
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
    .erased()
}

/// What else can be done to a VM. A native popover: it opens, closes and takes the keyboard without WASM.
#[component]
fn Menu(vm: Signal<Vm>) -> impl IntoView {
    let asked = expect_context::<Asked>();
    let act = expect_context::<Post>();
    let id = vm.read_untracked().id;
    let menu = format!("menu-{id}");
    let state = Memo::new(move |_| vm.read().state);
    let possible = move || VmAction::ALL.iter().copied().filter(move |action| action.is_possible(state.get()));
    let on_click = move |click: MouseEvent, action: VmAction| {
        close_popover(&click);
        instead_of_link(&click, || {
            if action.needs_confirmation() {
                asked.set(Some(Question::Act(id, action)));
            } else {
                act.send(format!("vm={id}&action={}", action_slug(action)));
            }
        });
    };
    let item = move |action: VmAction| {
        view! {
            <a
                href=Question::Act(id, action).address()
                class:danger=action.needs_confirmation()
                on:click=move |click| on_click(click, action)
            >
                {action.label()}
            </a>
        }
        .erased()
    };
    view! {
        <button
            type="button"
            class="icon-button"
            popovertarget=menu.clone()
            aria-label=move || format!("More actions for {}", vm.read().name)
            disabled=move || possible().next().is_none()
        >
            <Draw icon=Icon::More />
        </button>
        <div id=menu class="menu" popover="auto">
            <p class="menu-head">{move || vm.read().name.clone()}</p>
            {move || possible().map(item).collect::<Vec<_>>()}
        </div>
    }
    .erased()
}

fn close_popover(click: &MouseEvent) {
    let link = click.current_target().and_then(|target| target.dyn_into::<web_sys::HtmlElement>().ok());
    let popover = link.and_then(|link| link.closest("[popover]").ok().flatten());
    if let Some(popover) = popover.and_then(|popover| popover.dyn_into::<web_sys::HtmlElement>().ok()) {
        // Fails only if it is closed already.
        let _ = popover.hide_popover();
    }
}
