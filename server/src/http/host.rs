//! Under which names the console answers.
//!
//! A page of another site can have its own name resolve to the console's address ("DNS rebinding"); its requests to the console are then of
//! the same origin for the browser. They carry that site's name as their host, so that only the console's own names are answered. An
//! address is always its own: a name is what can be made to resolve to it.

use std::{
    fs,
    net::{IpAddr, Ipv6Addr},
};

use axum::{
    extract::{Request, State},
    http::header::HOST,
    middleware::Next,
    response::{IntoResponse, Response},
};
use model::{Code, Problem};
use tokio::sync::watch;

use super::{Doors, Refused, Site};
use crate::host_name::host_name;

/// Names under which the console answers.
#[derive(Clone, Debug)]
pub struct Names {
    own: Vec<String>,
    /// Those of the certificate, which change when it is renewed.
    certificate: Option<watch::Receiver<Vec<String>>>,
}

/// Whether this can be one of them: a host's name, without scheme and port.
pub fn is_name(name: &str) -> bool {
    let name = name.strip_prefix("*.").unwrap_or(name);
    name.contains(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
}

impl Default for Names {
    /// This machine's name, alone, with the domains in which the machine looks for names, and as mDNS has it.
    fn default() -> Self {
        let mut names = vec!["localhost".to_owned()];
        if let Some(name) = host_name() {
            let first = name.split('.').next().unwrap_or(&name).to_owned();
            let domains = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
            names.extend(domains_searched(&domains).chain(["local"]).map(|domain| format!("{first}.{domain}")));
            names.extend([first, name]);
        }
        Self { own: Vec::new(), certificate: None }.and(names)
    }
}

impl Names {
    /// These, too. `*.example.org` is every name one level below, as in certificates.
    #[must_use]
    pub fn and(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.own.extend(names.into_iter().map(|name| folded(&name)));
        self
    }

    /// The names in the certificate, too, as they are at the time.
    #[must_use]
    pub fn and_of_certificate(self, names: watch::Receiver<Vec<String>>) -> Self {
        Self { certificate: Some(names), ..self }
    }

    /// Whether this is one of them, or an address.
    pub(crate) fn have(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        let in_certificate = |names: &watch::Receiver<Vec<String>>| {
            let names = names.borrow();
            names.iter().any(|name| is_for(&folded(name), host))
        };
        host.parse::<IpAddr>().is_ok()
            || host.ends_with(".localhost")
            || self.own.iter().any(|name| is_for(name, host))
            || self.certificate.as_ref().is_some_and(in_certificate)
    }
}

fn folded(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether a name, which may begin with `*.`, is that of the host.
fn is_for(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(domain) => host.split_once('.').is_some_and(|(_, rest)| rest == domain),
        None => name == host,
    }
}

/// The domains that a resolv.conf names.
fn domains_searched(resolv_conf: &str) -> impl Iterator<Item = &str> {
    let searched = resolv_conf.lines().filter_map(|line| line.strip_prefix("search").or(line.strip_prefix("domain")));
    searched.flat_map(str::split_whitespace).filter(|domain| *domain != ".")
}

/// The host of `host:port`, without the brackets of IPv6.
fn host_of(authority: &str) -> &str {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.filter(|host| host.parse::<Ipv6Addr>().is_ok()).unwrap_or(host)
}

impl Site {
    /// Whether a request for this host is the console's. A proxy chooses itself what it asks for, and knows its own names.
    fn answers(&self, request: &Request) -> bool {
        if self.public_url.is_some() {
            return true;
        }
        match self.authority(request.headers(), request.uri()) {
            Some(authority) => self.names.have(host_of(&authority)),
            // A program that speaks HTTP/1.0; no browser does.
            None => request.uri().authority().is_none() && !request.headers().contains_key(HOST),
        }
    }
}

/// The layer around all doors but `/healthz`.
pub(super) async fn only_own_names(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    if doors.site.answers(&request) {
        return next.run(request).await;
    }
    let problem = Problem::new(Code::WrongName, "The console is not known by the name in this address.")
        .with_fix("Use its machine's name or address, or add the name to allowed_hosts in vmferry.toml.");
    Refused::from(problem).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_and_addresses() {
        let of_certificate = watch::Sender::new(vec!["*.Rack.example.org".to_owned()]);
        let names = Names { own: Vec::new(), certificate: Some(of_certificate.subscribe()) }
            .and(["localhost".into(), "Ferry.Example.org.".into()]);
        for own in [
            "localhost",
            "localhost:8443",
            "vmferry.localhost",
            "127.0.0.1:8080",
            "192.0.2.7",
            "[::1]:8443",
            "[2001:db8::7]",
            "ferry.example.org",
            "ferry.example.org.:8443",
            "a.rack.example.org",
        ] {
            assert!(names.have(host_of(own)), "{own}");
        }
        for other in [
            "",
            "evil.example",
            "evil.example:8443",
            "ferry.example.org.evil.example",
            "evilferry.example.org",
            "rack.example.org",
            "a.b.rack.example.org",
            "127.0.0.1.evil.example",
            "127.1",
            "[::1].evil.example",
            "[evil.example]",
            "localhost.evil.example",
            "notlocalhost",
        ] {
            assert!(!names.have(host_of(other)), "{other}");
        }
    }

    #[test]
    fn this_machines_names() {
        let domains: Vec<&str> =
            domains_searched("nameserver 192.0.2.1\nsearch a.example  b.example\ndomain .\n").collect();
        assert_eq!(domains, ["a.example", "b.example"]);
        let name = host_name().unwrap_or("localhost".into()).to_ascii_lowercase();
        assert!(Names::default().have(&name), "{name}");
    }
}
