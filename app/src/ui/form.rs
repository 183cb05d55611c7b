//! What forms share.

use leptos::{ev::MouseEvent, prelude::*};

/// Leaves a form without sending it: closes the dialog it is in, or is a link where there is no dialog.
#[component]
pub(crate) fn CancelButton(
    close: Option<Callback<()>>,
    #[prop(into)] href: String,
    /// Whether the dialog opens with the focus here, as the answer that does no harm.
    #[prop(optional)]
    autofocus: bool,
    label: &'static str,
) -> impl IntoView {
    let on_click = move |click: MouseEvent| {
        if let Some(close) = close {
            click.prevent_default();
            close.run(());
        }
    };
    view! {
        <a class="button" href=href autofocus=autofocus on:click=on_click>
            {label}
        </a>
    }
}
