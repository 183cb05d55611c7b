//! Links to log in at a host that has to be asked, and needs a login.

use leptos::prelude::*;
use model::{Host, Migration};

use crate::hosts::page::{HostLink, wants_login};
use crate::live::Live;

/// One for each of the two hosts that wants one.
pub(super) fn logins(live: Live, migration: &Migration) -> impl IntoView + use<> {
    let id = migration.id;
    let hosts = [&migration.source, &migration.destination].into_iter().filter_map(|name| live.hosts.value(name));
    let login = move |Host { name, .. }: Host| {
        view! {
            <HostLink href=format!("/hosts/{name}/login?next=/migrations/{id}") is_main=true>
                {format!("Log in at {name}")}
            </HostLink>
        }
    };
    hosts.filter(wants_login).map(login).collect_view()
}
