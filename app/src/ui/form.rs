//! A form for a server function, and the way out of it.

use leptos::{
    ev::{MouseEvent, SubmitEvent},
    html,
    prelude::*,
    web_sys::{FormData, HtmlFormElement, UrlSearchParams},
};

use crate::ui::Erased;
use crate::ui::post::Post;

/// A form that is sent in the background, or by the browser itself while there is no WASM.
#[component]
pub(crate) fn PostForm(
    post: Post,
    #[prop(optional)] node: NodeRef<html::Form>,
    /// Where a button with a `formaction` of its own sends the form.
    #[prop(optional)]
    other: Option<Post>,
    children: Children,
) -> impl IntoView {
    let submit = move |event: SubmitEvent| {
        let Some(fields) = node.get_untracked().as_ref().and_then(filled_in) else { return };
        event.prevent_default();
        let has = |name| event.submitter().is_some_and(|button| button.has_attribute(name));
        match other {
            // One with a `formmethod` of its own is for who has no WASM.
            Some(_) if has("formmethod") => {}
            Some(other) if has("formaction") => other.send(fields),
            _ => post.send(fields),
        }
    };
    view! {
        <form node_ref=node method="post" action=post.url on:submit=submit>
            {children()}
        </form>
    }
    .erased()
}

/// What is filled in, written as in an address.
pub(crate) fn filled_in(form: &HtmlFormElement) -> Option<String> {
    let filled_in = FormData::new_with_form(form).ok()?;
    let fields = UrlSearchParams::new_with_str_sequence_sequence(&filled_in).ok()?;
    Some(fields.to_string().into())
}

/// The way out of a form: closes the dialog it is in, and is a link where there is no dialog.
#[component]
pub(crate) fn CancelButton(
    close: Option<Callback<()>>,
    #[prop(into)] href: String,
    /// Whether it is what the dialog begins with, as the answer that does no harm.
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
    .erased()
}
