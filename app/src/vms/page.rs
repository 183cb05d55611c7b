//! `/`: the VMs on all hosts.

use crate::live::Live;
use crate::ui::Erased;
use crate::ui::dynamic;
use crate::ui::icon::Draw;
use crate::ui::icon::Icon;
use crate::ui::post::Post;
use crate::ui::problem::Alert;
use crate::ui::title;
use crate::vms::banners::Banners;
use crate::vms::query::Column;
use crate::vms::query::StateFilter;
use crate::vms::query::VmQuery;
use crate::vms::server_fns::Act;
use crate::vms::table::VmTable;
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

/// The list, its search, filters and order, and the dialogs over it.
#[component]
pub(crate) fn VmsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_query_map();
    let query = Memo::new(move |_| VmQuery::from_params(&params.read()));
    let is_empty = Memo::new(move |_| live.vms.count(|vm| query.read().wants(vm)) == 0);
    // What the menus of the rows do at once.
    let act = Post::to::<Act>(|_| {});
    provide_context(act);
    let list = move || {
        if is_empty.get() { view! { <NoVms query /> }.erased() } else { view! { <VmTable query /> }.erased() }
    };
    view! {
        {title(move || words(live))}
        <Banners />
        <div class="list-head">
            <h1>"VMs"</h1>
            <Filters query />
        </div>
        <Alert problem=act.problem dismissable=true />
        {move || list()}
    }
    .erased()
}

/// The number of VMs that move, where there are any.
fn words(live: Live) -> String {
    match live.vms.count(|vm| vm.migration.is_some()) {
        0 => "VMs".to_owned(),
        moving => format!("{moving} migrating · VMs"),
    }
}

/// Search, filter and, on a phone, order. A plain GET form; with WASM the list follows every key.
#[component]
fn Filters(query: Memo<VmQuery>) -> impl IntoView {
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
                        {Column::ALL
    .into_iter()
                            .map(|column| {
                                view! {
                                    <option value=column.as_str() selected=move || query.read().sort == column>
                                        {format!("By {}", column.label())}
                                    </option>
                                }.erased()
                            }).collect::<Vec<_>>()}
                    </select>
                </label>
            </form>
            <StateChips query />
        }
    .erased()
}

/// The filter on states, with how many VMs each would show.
#[component]
fn StateChips(query: Memo<VmQuery>) -> impl IntoView {
    let live = expect_context::<Live>();
    let chip = move |filter: StateFilter| {
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
        .erased()
    };
    view! {
        <ul class="chips" aria-label="Filter by state">
            {StateFilter::ALL.into_iter().map(chip).collect::<Vec<_>>()}
        </ul>
    }
    .erased()
}

#[component]
fn NoVms(query: Memo<VmQuery>) -> impl IntoView {
    let live = expect_context::<Live>();
    dynamic(move || {
        if live.vms.keys().is_empty() {
            view! {
                <div class="empty">
                    <Draw icon=Icon::Vms />
                    <h2>"No VMs yet"</h2>
                    <p>"None of the registered hosts has a VM. Define one there, with virt-install say, and it appears here by itself."</p>
                    <p><a class="button" href="/hosts">"Look at the hosts"</a></p>
                </div>
            }
            .erased()
        } else {
            let search = query.read().search.clone();
            let heading = if search.is_empty() {
                "No VM is in this state".to_owned()
            } else {
                format!("No VM matches “{search}”")
            };
            view! {
                <div class="empty">
                    <Draw icon=Icon::Search />
                    <h2 class="heading">{heading}</h2>
                    <p><a class="button" href="/">"Show all VMs"</a></p>
                </div>
            }
            .erased()
        }
    })
}
