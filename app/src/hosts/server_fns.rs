//! What the pages of hosts ask of the console: HTML.

use leptos::prelude::*;
use model::HostName;
#[cfg(feature = "ssr")]
use model::{Code, Problem, Scope};

#[cfg(feature = "ssr")]
use crate::console::{console, refused, who};
use crate::failure::Failure;
#[cfg(feature = "ssr")]
use crate::hosts::{
    card::HostCard,
    table::{HostQuery, HostTable},
};
#[cfg(feature = "ssr")]
use crate::ui::markup::rendered;

/// The table of the hosts that are asked for.
#[server]
pub async fn hosts_html(
    #[server(default)] search: String,
    #[server(default)] sort: String,
    #[server(default)] added: String,
) -> Result<String, Failure> {
    hosts_now([search, sort, added])
}

/// What is known of a host, and what can be done with it.
#[server]
pub async fn host_html(name: HostName) -> Result<String, Failure> {
    host_now(name)
}

#[cfg(feature = "ssr")]
pub(crate) fn hosts_now([search, sort, added]: [String; 3]) -> Result<String, Failure> {
    let scope = Scope { hosts: true, ..Scope::default() };
    let hosts = console().snapshot(&who()?, Some(scope)).map_err(refused)?.hosts;
    Ok(rendered(|| view! { <HostTable hosts query=HostQuery { search, sort, added } /> }))
}

#[cfg(feature = "ssr")]
pub(crate) fn host_now(name: HostName) -> Result<String, Failure> {
    let scope = Scope { host: Some(name), ..Scope::default() };
    let host = console().snapshot(&who()?, Some(scope)).map_err(refused)?.hosts.pop();
    let host = host.ok_or_else(|| refused(Problem::new(Code::UnknownHost, "No host has this name.")))?;
    Ok(rendered(|| view! { <HostCard host /> }))
}
