//! `/hosts`: the registered hosts.

use std::time::Duration;

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
    params::ParamsMap,
};
use model::{Code, ConnectionState, Host};

#[cfg(feature = "ssr")]
use crate::failure::Failure;
use crate::hosts::server_fns::HostsHtml;
#[cfg(feature = "ssr")]
use crate::hosts::server_fns::hosts_now;
use crate::live::Live;
#[cfg(feature = "ssr")]
use crate::ui::fragment::refused;
use crate::ui::{
    fragment::{Fragment, version_of},
    search_box::SearchBox,
    server_form::fields,
};

/// How often the table is made anew: hosts are asked for their memory about as often.
const EVERY: Duration = Duration::from_secs(5);

#[component]
pub(crate) fn HostsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_query_map();
    let asked = move || {
        let params = params.read();
        ["q", "sort", "added"].map(|name| params.get(name).unwrap_or_default())
    };
    #[cfg(feature = "ssr")]
    let html = Some(hosts_now(untrack(asked)).unwrap_or_else(|Failure(problem)| refused(problem)));
    #[cfg(not(feature = "ssr"))]
    let html = None;
    let asked = Signal::derive(move || {
        let [search, sort, added] = asked();
        fields(&[("search", &search), ("sort", &sort), ("added", &added)])
    });
    // Whether a host answers is told at once.
    let version = version_of(move || live.summary.read().unreachable.clone());
    view! {
        <Title text="Hosts" />
        <div class="list-head">
            <h1>"Hosts"</h1>
            <Search params />
            <HostLink href="/hosts/add" is_main=true>"Add a host"</HostLink>
        </div>
        <Fragment path=HostsHtml::PATH fields=asked version every=Some(EVERY) html />
    }
}

#[component]
fn Search(params: Memo<ParamsMap>) -> impl IntoView {
    let navigate = use_navigate();
    let search = Callback::new(move |words: String| {
        let mut query = params.get_untracked();
        query.replace("q", words);
        let options = NavigateOptions { replace: true, scroll: false, ..Default::default() };
        navigate(&format!("/hosts{}", query.to_query_string()), options);
    });
    let value = Signal::derive(move || params.read().get("q").unwrap_or_default());
    view! {
        <form class="filters" method="get" action="/hosts" role="search" on:submit=|ev| ev.prevent_default()>
            <SearchBox label="Search hosts" placeholder="Name, address, state or version" value search />
            <input type="hidden" name="sort" value=params.read_untracked().get("sort") />
        </form>
    }
}

/// A link to a page that is rendered on the server only.
#[component]
pub(crate) fn HostLink(
    #[prop(into)] href: String,
    /// Whether it is the main action here.
    #[prop(optional)]
    is_main: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <a class=if is_main { "button primary" } else { "button" } href=href rel="external">
            {children()}
        </a>
    }
}

/// Whether an admin has to log in at a host before it answers.
pub(crate) fn wants_login(host: &Host) -> bool {
    let codes = [Code::NeedsLogin, Code::LoginRefused, Code::HostKeyUnknown, Code::HostKeyChanged];
    matches!(&host.connection, ConnectionState::Unreachable { problem, .. } if codes.contains(&problem.code))
}
