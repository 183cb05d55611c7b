//! The box that lists are searched with.

use leptos::{ev::Event, prelude::*};

use crate::ui::icon::{Draw, Icon};

/// The box, whose words are `q` in the address. With WASM the list follows every key.
#[component]
pub(crate) fn SearchBox(
    label: &'static str,
    placeholder: &'static str,
    /// What is searched for.
    value: Signal<String>,
    /// The id of its completions.
    #[prop(optional)]
    list: Option<&'static str>,
    search: Callback<String>,
    /// What there is besides.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let typed = move |input: Event| search.run(event_target_value(&input));
    view! {
        <div class="search">
            <Draw icon=Icon::Search />
            <input
                type="search"
                name="q"
                aria-label=label
                placeholder=placeholder
                autocomplete="off"
                list=list
                value=value.get_untracked()
                prop:value=value
                on:input=typed
            />
            {children.map(|children| children())}
        </div>
    }
}
