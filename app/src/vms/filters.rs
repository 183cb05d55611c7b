//! Search, filter and order of the list of VMs.

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};
use model::{Column, Letter, StateFilter, VmQuery};

use crate::live::Live;
use crate::ui::search_box::SearchBox;
use crate::vms::{
    completions::{Completions, LIST},
    query::{at, heading, label, to_url},
};

/// Search, filter and, on a phone, order. A plain GET form; with WASM the list follows every key.
#[component]
pub(super) fn Filters(query: Memo<VmQuery>) -> impl IntoView {
    let navigate = use_navigate();
    let go = Callback::new(move |query: VmQuery| {
        navigate(&to_url(&query), NavigateOptions { replace: true, scroll: false, ..Default::default() });
    });
    let search = Callback::new(move |search| go.run(VmQuery { search, ..query.get_untracked() }));
    let value = Signal::derive(move || query.read().search.clone());
    let sort = move |ev| {
        let chosen = event_target_value(&ev);
        let sort = Column::ALL.iter().copied().find(|column| column.as_str() == chosen).unwrap_or_default();
        go.run(VmQuery { sort, descending: false, ..query.get_untracked() });
    };
    let option = move |column: Column| {
        view! {
            <option value=column.as_str() selected=move || query.read().sort == column>
                {format!("By {}", heading(column))}
            </option>
        }
    };
    let action = to_url(&VmQuery { host: query.get_untracked().host, ..VmQuery::default() });
    view! {
        <form class="filters" method="get" action=action role="search" on:submit=|ev| ev.prevent_default()>
            <SearchBox label="Search VMs" placeholder="Search, e.g. host:alpha web" value list=LIST search>
                <Completions query />
            </SearchBox>
            <input type="hidden" name="state" value=move || query.read().state.as_str() />
            <label class="sort">
                <span class="hidden">"Sort by"</span>
                <select name="sort" on:change=sort>
                    {Column::ALL.iter().copied().map(option).collect_view()}
                </select>
            </label>
        </form>
        <ul class="chips" aria-label="Filter by state">
            {StateFilter::ALL.iter().map(|filter| view! { <StateChip filter=*filter query /> }).collect_view()}
        </ul>
        <Letters query />
    }
}

/// Links to where names begin with another letter, in a list that is longer than a screen.
#[component]
fn Letters(query: Memo<VmQuery>) -> impl IntoView {
    const LONG: u32 = 60;
    let live = expect_context::<Live>();
    let letters = Memo::new(move |_| {
        let list = live.list.read();
        list.as_ref().filter(|list| list.matching > LONG).map(|list| list.letters.clone()).unwrap_or_default()
    });
    let link = move |Letter { letter, from }: Letter| {
        let name = if letter == '#' { "others".to_owned() } else { letter.to_string() };
        view! {
            <li>
                <a href=at(&query.read(), from) aria-label=format!("Names with {name}")>
                    {letter.to_string()}
                </a>
            </li>
        }
    };
    view! {
        <ul class="letters" aria-label="Jump to a letter" hidden=move || letters.read().len() < 2>
            {move || letters.get().into_iter().map(link).collect_view()}
        </ul>
    }
}

/// A filter on states, with how many VMs it would show.
#[component]
fn StateChip(filter: StateFilter, query: Memo<VmQuery>) -> impl IntoView {
    let live = expect_context::<Live>();
    let place = StateFilter::ALL.iter().position(|other| *other == filter).unwrap_or_default();
    let count = move || {
        let list = live.list.read();
        list.as_ref().and_then(|list| list.by_state.get(place).copied()).unwrap_or_default()
    };
    let chosen = move || query.read().state == filter;
    let href = move || to_url(&VmQuery { state: filter, ..query.get() });
    view! {
        <li hidden=move || count() == 0 && !chosen() && filter != StateFilter::All>
            <a href=href aria-current=move || chosen().then_some("true")>
                {label(filter)}
                <span class="count">{move || count().to_string()}</span>
            </a>
        </li>
    }
}
