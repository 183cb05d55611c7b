//! A named value, as an entry of a `<dl>`.

use leptos::prelude::*;

/// A value and its name.
#[component]
pub(crate) fn Fact(name: &'static str, children: Children) -> impl IntoView {
    view! {
        <div class="entry">
            <dt>{name}</dt>
            <dd>{children()}</dd>
        </div>
    }
}
