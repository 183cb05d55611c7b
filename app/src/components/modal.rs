//! A native dialog in front of the page.

use leptos::{html, prelude::*};

use crate::components::icon::{Draw, Icon};

/// Shows a dialog about `asked` for as long as there is something asked. Esc, a click beside it and the cross close it.
#[component]
pub(crate) fn Modal<T>(
    asked: RwSignal<Option<T>>,
    /// The dialog's heading.
    title: Callback<T, String>,
    /// What is below the heading.
    body: Callback<T, AnyView>,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
{
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        if asked.read().is_none() {
            dialog.close();
        } else if !dialog.open() {
            // Only then has the content been rendered, among it the control that has `autofocus`.
            request_animation_frame(move || {
                // Fails only if the dialog is open or has left the page meanwhile.
                let _ = dialog.show_modal();
            });
        }
    });
    view! {
        <dialog node_ref=node class="modal" closedby="any" aria-labelledby="modal-title" on:close=move |_| asked.set(None)>
            {move || {
                asked
                    .get()
                    .map(|what| {
                        // Only another question may build the form anew: what it reads while it is built must not.
                        let form = untrack(|| body.run(what.clone()));
                        view! {
                            <header class="modal-head">
                                <h2 id="modal-title">{move || title.run(what.clone())}</h2>
                                <button type="button" class="icon-button" aria-label="Close" on:click=move |_| asked.set(None)>
                                    <Draw icon=Icon::Close />
                                </button>
                            </header>
                            {form}
                        }
                    })
            }}
        </dialog>
    }
    .into_any()
}

/// The way out of a form: closes the dialog it is in, and is a link to the list where there is no dialog.
#[component]
pub(crate) fn CancelButton(
    close: Option<Callback<()>>,
    #[prop(default = "/".into(), into)] href: String,
    /// Whether it is what the dialog begins with, as the answer that does no harm.
    #[prop(optional)]
    autofocus: bool,
    children: Children,
) -> impl IntoView {
    let on_click = move |click: leptos::ev::MouseEvent| {
        if let Some(close) = close {
            click.prevent_default();
            close.run(());
        }
    };
    view! {
        <a class="button" href=href autofocus=autofocus on:click=on_click>
            {children()}
        </a>
    }
    .into_any()
}
