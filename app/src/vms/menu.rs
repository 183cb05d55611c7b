//! The menu of a VM: what can be done to it beside a migration.

use leptos::wasm_bindgen::JsCast;
use leptos::{ev::MouseEvent, prelude::*, web_sys};
use model::{Vm, VmAction};

use crate::live::Live;
use crate::ui::{
    dialog::{Asked, instead_of_link},
    icon::{Draw, Icon},
    server_form::{FormAction, fields},
};
use crate::vms::action_form::{action_path, action_question};

/// A native popover: it opens, closes and takes the keyboard without WASM.
#[component]
pub(super) fn Menu(vm: Signal<Vm>) -> impl IntoView {
    let live = expect_context::<Live>();
    let asked = expect_context::<Asked>();
    let act = expect_context::<FormAction<()>>();
    let id = vm.read_untracked().id;
    let menu = format!("menu-{id}");
    let state = Memo::new(move |_| vm.read().state);
    let possible = move || VmAction::ALL.iter().copied().filter(move |action| action.is_possible(state.get()));
    let on_click = move |click: MouseEvent, action: VmAction| {
        close_popover(&click);
        instead_of_link(&click, || {
            if action.needs_confirmation() {
                asked.set(Some(untrack(|| action_question(live, id, action))));
            } else {
                let host = vm.read_untracked().host.to_string();
                act.send(fields(&[("vm", &id.to_string()), ("host", &host), ("action", action.as_str())]));
            }
        });
    };
    let item = move |action: VmAction| {
        view! {
            <a
                href=action_path(id, action)
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
            disabled=move || possible().next().is_none()
        >
            <Draw icon=Icon::More />
        </button>
        <div id=menu class="menu" popover="auto">
            <p class="menu-head">{move || vm.read().name.clone()}</p>
            {move || possible().map(item).collect_view()}
        </div>
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
