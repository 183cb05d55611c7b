//! How a host is reached, as it was registered. The server renders it.

use leptos::prelude::*;
use model::{RegisteredHost, SshLoginKind, TransportKind};

use crate::ui::fact::Fact;

/// What is set of a host.
#[component]
pub(crate) fn Settings(host: RegisteredHost) -> impl IntoView {
    let RegisteredHost { settings, fingerprint, .. } = host;
    let port = settings.port.map(|port| format!(", port {port}")).unwrap_or_default();
    let user = settings.user.unwrap_or_default();
    let login = settings.login.map(|login| match login {
        SshLoginKind::Program => "with the program ssh",
        SshLoginKind::AccountKeys => "with the keys of the console's account",
        SshLoginKind::ConsoleKey => "with the console's own key",
        SshLoginKind::Password => "with a password",
    });
    let peers = [
        settings.peer_address.map(|address| format!("at {address}")),
        settings.peer_transport.map(|transport| format!("by {}", words(transport))),
        settings.peer_port.map(|port| format!("port {port}")),
        settings.peer_user.map(|user| format!("as {user}")),
    ];
    let peers: Vec<String> = peers.into_iter().flatten().collect();
    let directories = settings.shared_directories;
    view! {
        <dl class="facts">
            {settings.address.map(|address| view! { <Fact name="Address">{format!("{address}{port}")}</Fact> })}
            <Fact name="Connection">{words(settings.transport)}</Fact>
            {login.map(|login| view! { <Fact name="Login">{format!("{user}, {login}")}</Fact> })}
            {fingerprint.map(|key| view! { <Fact name="Key"><code class="key">{key}</code></Fact> })}
            {(!peers.is_empty()).then(|| view! { <Fact name="For other hosts">{peers.join(", ")}</Fact> })}
            {(!directories.is_empty())
                .then(|| view! { <Fact name="Shared directories">{directories.join(", ")}</Fact> })}
        </dl>
    }
}

fn words(transport: TransportKind) -> &'static str {
    match transport {
        TransportKind::Local => "the libvirt socket of this machine",
        TransportKind::Tcp => "TCP, not encrypted",
        TransportKind::Tls => "TLS",
        TransportKind::Ssh => "ssh",
    }
}
