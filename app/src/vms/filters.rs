//! Search, filter and order of the list of VMs.

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::live::Live;
use crate::ui::icon::{Draw, Icon};
use crate::vms::query::{Column, StateFilter, VmQuery};

/// Search, filter and, on a phone, order. A plain GET form; with WASM the list follows every key.
#[component]
pub(super) fn Filters(query: Memo<VmQuery>) -> impl IntoView {
    let navigate = use_navigate();
    let go = Callback::new(move |query: VmQuery| {
        navigate(&query.to_url(), NavigateOptions { replace: true, scroll: false, ..Default::default() });
    });
    let search = move |ev| go.run(VmQuery { search: event_target_value(&ev), ..query.get_untracked() });
    let sort = move |ev| {
        let chosen = event_target_value(&ev);
        let sort = Column::ALL.into_iter().find(|column| column.as_str() == chosen).unwrap_or_default();
        go.run(VmQuery { sort, descending: false, ..query.get_untracked() });
    };
    let option = move |column: Column| {
        view! {
            <option value=column.as_str() selected=move || query.read().sort == column>
                {format!("By {}", column.label())}
            </option>
        }
    };
    view! {
        <form class="filters" method="get" action="/" role="search" on:submit=|ev| ev.prevent_default()>
            <div class="search">
                <Draw icon=Icon::Search />
                <input
                    type="search"
                    name="q"
                    aria-label="Search VMs and hosts"
                    placeholder="Search VMs and hosts"
                    value=query.get_untracked().search
                    prop:value=move || query.read().search.clone()
                    on:input=search
                />
            </div>
            <input type="hidden" name="state" value=move || query.read().state.as_str() />
            <label class="sort">
                <span class="hidden">"Sort by"</span>
                <select name="sort" on:change=sort>
                    {Column::ALL.into_iter().map(option).collect_view()}
                </select>
            </label>
        </form>
        <ul class="chips" aria-label="Filter by state">
            {StateFilter::ALL.into_iter().map(|filter| view! { <StateChip filter query /> }).collect_view()}
        </ul>
    }
}

/// A filter on states, with how many VMs it would show.
#[component]
fn StateChip(filter: StateFilter, query: Memo<VmQuery>) -> impl IntoView {
    let live = expect_context::<Live>();
    let count = move || live.vms.count(|vm| filter.matches(vm) && query.read().finds(vm));
    let chosen = move || query.read().state == filter;
    let href = move || VmQuery { state: filter, ..query.get() }.to_url();
    view! {
        <li hidden=move || count() == 0 && !chosen() && filter != StateFilter::All>
            <a href=href aria-current=move || chosen().then_some("true")>
                {filter.label()}
                <span class="count">{move || count().to_string()}</span>
            </a>
        </li>
    }
}
