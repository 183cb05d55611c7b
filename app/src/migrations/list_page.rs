//! `/migrations`: all migrations, newest first.

use std::time::Duration;

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::MigrationQuery;

use crate::live::Live;
use crate::migrations::{looked::look, server_fns::MigrationsHtml};
use crate::ui::{
    fragment::{Fragment, prepared, version_of},
    server_form::fields,
};

/// How often the list is made anew while something runs.
const EVERY: Duration = Duration::from_secs(2);

#[component]
pub(crate) fn MigrationsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_query_map();
    let value = move |name: &str| params.read().get(name).unwrap_or_default();
    let asked = Signal::derive(move || {
        let values = ["vm", "host", "result", "by", "hours", "before"].map(|name| (name, value(name)));
        fields(&values.each_ref().map(|(name, value)| (*name, value.as_str())))
    });
    Effect::new(|_| look());
    let [html] = prepared();
    let version = version_of(move || {
        let summary = live.summary.read();
        (summary.newest, summary.running)
    });
    view! {
        <Title text="Migrations" />
        <div class="list-head">
            <h1>"Migrations"</h1>
            <Filters />
            <a class="button" href="/predictions" rel="external">
                "Predictions"
            </a>
        </div>
        <Fragment path=MigrationsHtml::PATH fields=asked version every=Some(EVERY) html />
    }
}

/// A plain GET form.
#[component]
fn Filters() -> impl IntoView {
    let params = use_query_map().get_untracked();
    let field = |name: &'static str, label: &'static str| {
        view! { <input type="search" name=name aria-label=label placeholder=label value=params.get(name) autocomplete="off" /> }
    };
    let result = params.get("result").unwrap_or_default();
    let hours = params.get("hours").unwrap_or_default();
    let option = |value: &'static str, label: &'static str, chosen: &str| {
        view! { <option value=value selected=chosen == value>{label}</option> }
    };
    let times = [("1", "Last hour"), ("24", "Last day"), ("168", "Last week"), ("720", "Last 30 days")];
    view! {
        <form class="filters migrations-filters" method="get" action="/migrations" role="search">
            {field("vm", "VM")} {field("host", "Host")} {field("by", "User")}
            <select name="result" aria-label="Result">
                <option value="">"Any result"</option>
                {MigrationQuery::RESULTS.map(|(value, label)| option(value, label, &result)).collect_view()}
            </select>
            <select name="hours" aria-label="Time">
                <option value="">"Any time"</option>
                {times.map(|(value, label)| option(value, label, &hours)).collect_view()}
            </select>
            <button class="button">"Filter"</button>
        </form>
    }
}
