//! The dialog in front of the page.

use leptos::{ev::MouseEvent, html, prelude::*};

use crate::live::Live;
use crate::ui::Erased;
use crate::ui::icon::Draw;
use crate::ui::icon::Icon;
use crate::ui::question::Question;

/// The question that is open; setting it opens or closes the dialog.
pub(crate) type Asked = RwSignal<Option<Question>>;

/// The native dialog. Esc, a click beside it and the cross close it.
#[component]
pub(crate) fn Dialog(asked: Asked) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        if asked.read().is_none() {
            dialog.close();
        } else if !dialog.open() {
            // Only then has the form been rendered, in it the control that has `autofocus`.
            request_animation_frame(move || {
                // Fails only if the dialog is open or has left the page meanwhile.
                let _ = dialog.show_modal();
            });
        }
    });
    // Only another question may build the form anew: what is read while it is built must not.
    let content = move || asked.get().map(|question| untrack(|| content(asked, question)));
    view! {
        <dialog node_ref=node class="modal" closedby="any" aria-labelledby="question" on:close=move |_| asked.set(None)>
            {move || content()}
        </dialog>
    }
    .erased()
}

fn content(asked: Asked, question: Question) -> AnyView {
    let live = expect_context::<Live>();
    view! {
        <header class="modal-head">
            <h2 id="question">{question.title(live)}</h2>
            <button type="button" class="icon-button" aria-label="Close" on:click=move |_| asked.set(None)>
                <Draw icon=Icon::Close />
            </button>
        </header>
        {question.form(Some(Callback::new(move |()| asked.set(None))))}
    }
    .erased()
}

/// Does something in place of following a link, unless the link is to be opened elsewhere, in another tab, say.
pub(crate) fn instead_of_link(click: &MouseEvent, action: impl FnOnce()) {
    if click.button() == 0 && !(click.ctrl_key() || click.meta_key() || click.shift_key() || click.alt_key()) {
        click.prevent_default();
        action();
    }
}
