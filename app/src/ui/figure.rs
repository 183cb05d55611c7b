//! A figure and what it is, as entries of a `<dl>`.

use leptos::prelude::*;

use crate::ui::Erased;
use crate::ui::dynamic;

/// A figure that changes.
pub(crate) fn figure(name: &'static str, value: impl Fn() -> String + Send + 'static) -> AnyView {
    entry(name, dynamic(move || value().into_any()))
}

/// Anything else that has a name.
pub(crate) fn entry(name: &'static str, value: AnyView) -> AnyView {
    view! {
        <div class="entry">
            <dt>{name}</dt>
            <dd>{value}</dd>
        </div>
    }
    .erased()
}
