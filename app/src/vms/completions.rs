//! What the search could become, below the box: the browser's own list, which the server fills. It works with the keyboard, and on phones.

use leptos::{prelude::*, server_fn::ServerFn};
use model::VmQuery;

#[cfg(feature = "ssr")]
use crate::console::{console, who};
use crate::ui::{fragment::Fragment, server_form::fields};
use crate::vms::server_fns::CompletionsHtml;

/// The id of the list, for the box's `list`.
pub(super) const LIST: &str = "completions";

/// The list, filled anew with each key.
#[component]
pub(super) fn Completions(query: Memo<VmQuery>) -> impl IntoView {
    #[cfg(feature = "ssr")]
    let html = {
        let typed = query.get_untracked().search;
        who().ok().and_then(|who| console().completions(&who, &typed).ok()).map(listed)
    };
    #[cfg(not(feature = "ssr"))]
    let html = None;
    let typed = Signal::derive(move || fields(&[("typed", &query.read().search)]));
    view! { <Fragment path=CompletionsHtml::PATH fields=typed version=Signal::stored(0) every=None html /> }
}

/// The list as HTML.
#[cfg(feature = "ssr")]
pub(super) fn listed(words: Vec<String>) -> String {
    let options = words.into_iter().map(|word| view! { <option value=word></option> }).collect_view();
    crate::ui::markup::rendered(|| view! { <datalist id=LIST>{options}</datalist> })
}
