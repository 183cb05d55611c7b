//! The dialog in front of the page. What it asks is a [`Question`], made by the subject it is about.

use leptos::{ev::MouseEvent, html, prelude::*};

use crate::ui::icon::{Draw, Icon};

/// A title and a form for the dialog; each is a page of its own, too, at `href`.
#[derive(Clone)]
pub(crate) struct Question {
    pub href: String,
    pub title: String,
    /// Builds the form; it gets what closes the dialog.
    pub form: Callback<Callback<()>, AnyView>,
}

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
            // Only then has the form been rendered, with the control that has `autofocus`.
            request_animation_frame(move || {
                // Fails only if the dialog is open or has left the page meanwhile.
                let _ = dialog.show_modal();
            });
        }
    });
    let close = Callback::new(move |()| asked.set(None));
    // Only another question may rebuild the form, not a signal that is read while it is built.
    let content = move || asked.get().map(|question| untrack(|| view! { <Content question close /> }));
    view! {
        <dialog node_ref=node class="modal" closedby="any" aria-labelledby="question" on:close=move |_| asked.set(None)>
            {content}
        </dialog>
    }
}

#[component]
fn Content(question: Question, close: Callback<()>) -> impl IntoView {
    view! {
        <header class="modal-head">
            <h2 id="question">{question.title}</h2>
            <button type="button" class="icon-button" aria-label="Close" on:click=move |_| close.run(())>
                <Draw icon=Icon::Close />
            </button>
        </header>
        {question.form.run(close)}
    }
}

/// A link to a question's page; with WASM, it opens the dialog instead.
#[component]
pub(crate) fn QuestionLink(
    class: &'static str,
    /// Makes the question when the link is followed.
    question: impl Fn() -> Question + Copy + Send + Sync + 'static,
    children: Children,
) -> impl IntoView {
    let asked = expect_context::<Asked>();
    view! {
        <a
            class=class
            href=untrack(question).href
            on:click=move |click| instead_of_link(&click, || asked.set(Some(untrack(question))))
        >
            {children()}
        </a>
    }
}

/// Does something in place of following a link, unless the link is to be opened in another tab or window.
pub(crate) fn instead_of_link(click: &MouseEvent, action: impl FnOnce()) {
    if click.button() == 0 && !(click.ctrl_key() || click.meta_key() || click.shift_key() || click.alt_key()) {
        click.prevent_default();
        action();
    }
}
