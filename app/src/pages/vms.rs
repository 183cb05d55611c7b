//! `/`: the VMs on all hosts.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};
use model::{VmAction, VmId};

use crate::api::vms::Act;
use crate::components::{
    banners::Banners,
    icon::{Draw, Icon},
    migrate_form::MigrateForm,
    modal::Modal,
    problem::{Alert, failure_of},
    vm_action_form::{VmActionForm, action_question},
    vm_table::{RowActions, VmTable},
};
use crate::list::{Column, StateFilter, VmQuery};
use crate::live::Live;

/// The list, its search, filters and order, and the dialogs over it.
#[component]
pub(crate) fn VmsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_query_map();
    let query = Memo::new(move |_| VmQuery::from_params(&params.read()));
    let vms =
        Memo::new(move |_| query.read().select(live.vms.values()).into_iter().map(|vm| vm.id).collect::<Vec<_>>());
    let actions =
        RowActions { migrate: RwSignal::new(None), confirm: RwSignal::new(None), act: ServerAction::<Act>::new() };
    provide_context(actions);
    let act_value = actions.act.value();
    view! {
        <Title text=move || title(live) />
        <Banners />
        <div class="list-head">
            <h1>"VMs"</h1>
            <Filters query />
        </div>
        <Alert problem=failure_of(move || act_value.get()) dismiss=move |()| act_value.set(None) />
        <Show when=move || !vms.read().is_empty() fallback=move || view! { <NoVms query /> }>
            <VmTable vms query />
        </Show>
        <Dialogs actions />
    }
    .into_any()
}

/// The number of VMs that move, where there are any.
fn title(live: Live) -> String {
    match live.vms.values().iter().filter(|vm| vm.migration.is_some()).count() {
        0 => "VMs".to_owned(),
        moving => format!("{moving} migrating · VMs"),
    }
}

#[component]
fn Dialogs(actions: RowActions) -> impl IntoView {
    let RowActions { migrate, confirm, .. } = actions;
    let name = |id: VmId| expect_context::<Live>().vms.value(&id).map_or_else(|| "this VM".to_owned(), |vm| vm.name);
    view! {
        <Modal
            asked=migrate
            title=Callback::new(move |vm| format!("Migrate {}", name(vm)))
            body=Callback::new(move |vm| view! { <MigrateForm vm close=move |()| migrate.set(None) /> }.into_any())
        />
        <Modal
            asked=confirm
            title=Callback::new(move |(vm, action)| action_question(action, &name(vm)))
            body=Callback::new(move |(vm, action): (VmId, VmAction)| {
                view! { <VmActionForm vm action close=move |()| confirm.set(None) /> }.into_any()
            })
        />
    }
    .into_any()
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
                    autocomplete="off"
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
                        .map(|column| {
                            view! {
                                <option value=column.as_str() selected=move || query.read().sort == column>
                                    {format!("By {}", column.label())}
                                </option>
                            }
                        })}
                </select>
            </label>
        </form>
        <StateChips query />
    }
    .into_any()
}

/// The filter on states, with how many VMs each would show.
#[component]
fn StateChips(query: Memo<VmQuery>) -> impl IntoView {
    let live = expect_context::<Live>();
    let counts = Memo::new(move |_| {
        let vms = live.vms.values();
        let query = query.read();
        StateFilter::ALL.map(|filter| vms.iter().filter(|vm| filter.matches(vm) && query.finds(vm)).count())
    });
    let chip = move |index: usize, filter: StateFilter| {
        let count = move || counts.read()[index];
        let chosen = move || query.read().state == filter;
        let href = move || VmQuery { state: filter, ..query.get() }.to_url();
        view! {
            <li hidden=move || count() == 0 && !chosen() && filter != StateFilter::All>
                <a href=href aria-current=move || chosen().then_some("true")>
                    {filter.label()}
                    <span class="count">{count}</span>
                </a>
            </li>
        }
    };
    view! {
        <ul class="chips" aria-label="Filter by state">
            {StateFilter::ALL.into_iter().enumerate().map(|(index, filter)| chip(index, filter)).collect_view()}
        </ul>
    }
    .into_any()
}

#[component]
fn NoVms(query: Memo<VmQuery>) -> impl IntoView {
    let live = expect_context::<Live>();
    let none_at_all = Memo::new(move |_| live.vms.keys().is_empty());
    move || {
        if none_at_all.get() {
            view! {
                <div class="empty">
                    <Draw icon=Icon::Vms />
                    <h2>"No VMs yet"</h2>
                    <p>"None of the registered hosts has a VM. Define one there, with virt-install say, and it appears here by itself."</p>
                    <p><a class="button" href="/hosts">"Look at the hosts"</a></p>
                </div>
            }
            .into_any()
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
                    <h2>{heading}</h2>
                    <p><a class="button" href="/">"Show all VMs"</a></p>
                </div>
            }
            .into_any()
        }
    }
}
