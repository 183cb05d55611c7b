use std::path::{Component, Path};

use proptest::{option, prelude::*, sample::select};

use super::*;

fn only(transport: TransportKind) -> HostSettings {
    HostSettings {
        name: "alpha".parse().unwrap(),
        transport,
        address: Some("192.0.2.7".into()),
        port: None,
        user: (transport == TransportKind::Ssh).then(|| "mover".into()),
        login: None,
        daemon: None,
        peer_address: None,
        peer_transport: None,
        peer_port: None,
        peer_user: None,
        bandwidth_mib_s: None,
        policy: None,
        longest_pause_ms: None,
        budget_s: None,
        shared_directories: Vec::new(),
        memory_reserve_mib: None,
        outgoing_mib_s: None,
        incoming_mib_s: None,
    }
}

/// Settings that were checked, as they are written again.
#[track_caller]
fn again(settings: &HostSettings) -> HostSettings {
    HostConfig::checked(settings).unwrap().settings()
}

/// What other hosts are told.
fn peer(settings: &HostSettings) -> (Option<&str>, Option<TransportKind>, Option<u16>, Option<&str>) {
    let HostSettings { peer_address, peer_transport, peer_port, peer_user, .. } = settings;
    (peer_address.as_deref(), *peer_transport, *peer_port, peer_user.as_deref())
}

#[track_caller]
fn is_refused(settings: &HostSettings, words: &str) {
    let problem = HostConfig::checked(settings).unwrap_err();
    assert!(problem.sentence.contains(words), "{problem}");
}

#[test]
fn other_hosts_follow_where_nothing_is_said_of_them() {
    for kind in [TransportKind::Tcp, TransportKind::Tls, TransportKind::Ssh] {
        for port in [None, Some(2222)] {
            let shown = again(&HostSettings { port, ..only(kind) });
            assert_eq!(peer(&shown), (None, None, None, None));
            let user = shown.user.is_some().then(|| "ops".to_owned());
            let address = Some("198.51.100.7".to_owned());
            let changed = HostSettings { address, port: Some(2223), user, ..shown };
            let config = HostConfig::checked(&changed).unwrap();
            assert_eq!(config.peer_address.to_string(), "198.51.100.7");
            assert_eq!(config.peer_transport, config.transport);
        }
    }
}

#[test]
fn what_is_said_of_other_hosts_is_kept_where_it_says_anything() {
    let ssh = only(TransportKind::Ssh);
    let elsewhere = HostSettings {
        port: Some(2222),
        peer_address: Some("198.51.100.7".into()),
        peer_port: Some(22),
        peer_user: Some("ops".into()),
        ..ssh.clone()
    };
    assert_eq!(peer(&again(&elsewhere)), (Some("198.51.100.7"), None, Some(22), Some("ops")));
    let otherwise = HostSettings { port: Some(2222), peer_transport: Some(TransportKind::Tls), ..ssh.clone() };
    assert_eq!(peer(&again(&otherwise)), (None, Some(TransportKind::Tls), None, None));
    let at_another_port = HostSettings { peer_port: Some(2222), ..otherwise };
    assert_eq!(peer(&again(&at_another_port)), (None, Some(TransportKind::Tls), Some(2222), None));
    let local = HostSettings {
        peer_address: ssh.address.clone(),
        peer_transport: Some(TransportKind::Ssh),
        peer_user: ssh.user,
        address: None,
        user: None,
        ..only(TransportKind::Local)
    };
    assert_eq!(peer(&again(&local)), (Some("192.0.2.7"), Some(TransportKind::Ssh), None, Some("mover")));
}

#[test]
fn a_host_that_was_stored_with_every_field_is_still_the_same() {
    let ssh = only(TransportKind::Ssh);
    let stored = HostSettings {
        port: Some(22),
        peer_address: ssh.address.clone(),
        peer_transport: Some(TransportKind::Ssh),
        peer_port: Some(22),
        peer_user: ssh.user.clone(),
        ..ssh.clone()
    };
    assert_eq!(HostConfig::checked(&stored).unwrap(), HostConfig::checked(&ssh).unwrap());
}

#[test]
fn an_account_that_nobody_logs_in_as_is_refused() {
    let user = Some("ops".to_owned());
    is_refused(&HostSettings { user: user.clone(), ..only(TransportKind::Tls) }, "user is for transport = \"ssh\"");
    for peer_transport in [None, Some(TransportKind::Tls)] {
        let tls = HostSettings { peer_transport, peer_user: user.clone(), ..only(TransportKind::Tls) };
        is_refused(&tls, "peer_user is for peer_transport = \"ssh\"");
    }
    let peer_transport = Some(TransportKind::Tls);
    let ssh = HostSettings { peer_transport, peer_user: user, ..only(TransportKind::Ssh) };
    is_refused(&ssh, "peer_user is for peer_transport = \"ssh\"");
}

#[test]
fn a_host_s_limit_is_one_that_its_migrations_may_have() {
    for limit in [None, Some(1), Some(1_000_000)] {
        let host = HostSettings { bandwidth_mib_s: limit, ..only(TransportKind::Tls) };
        assert_eq!(HostConfig::checked(&host).unwrap().bandwidth_mib_s, limit);
    }
    for limit in [0, 1_000_001, u32::MAX] {
        is_refused(&HostSettings { bandwidth_mib_s: Some(limit), ..only(TransportKind::Tls) }, "bandwidth_mib_s");
    }
}

prop_compose! {
    /// Settings of all kinds, about one in ten of which fit together.
    fn settings()(
        transport in kind(),
        address in option::of(address()),
        port in option::of(port()),
        user in option::of(user()),
        daemon in option::of(select(vec![DaemonKind::System, DaemonKind::Session])),
        peer_address in option::of(address()),
        peer_transport in option::of(kind()),
        peer_port in option::of(port()),
        peer_user in option::of(user()),
    ) -> HostSettings {
        HostSettings {
            address, port, user, daemon, peer_address, peer_transport, peer_port, peer_user, ..only(transport)
        }
    }
}

fn kind() -> impl Strategy<Value = TransportKind> {
    select(vec![TransportKind::Local, TransportKind::Tcp, TransportKind::Tls, TransportKind::Ssh])
}

fn address() -> impl Strategy<Value = String> {
    select(vec!["192.0.2.7", "2001:db8::7", "Alpha.example.org", "alpha.example.org"]).prop_map(str::to_owned)
}

fn port() -> impl Strategy<Value = u16> {
    select(vec![22, 16509, 16514])
}

fn user() -> impl Strategy<Value = String> {
    select(vec!["mover", "ops"]).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn what_is_written_again_means_the_same_and_says_nothing_twice(settings in settings()) {
        let Ok(config) = HostConfig::checked(&settings) else { return Ok(()) };
        let written = config.settings();
        prop_assert_eq!(HostConfig::checked(&written), Ok(config.clone()));
        for shorter in [
            HostSettings { peer_address: None, ..written.clone() },
            HostSettings { peer_transport: None, ..written.clone() },
            HostSettings { peer_port: None, ..written.clone() },
            HostSettings { peer_user: None, ..written.clone() },
        ] {
            prop_assert!(shorter == written || HostConfig::checked(&shorter) != Ok(config.clone()), "{written:?}");
        }
    }
}

proptest! {
    #[test]
    fn a_plain_directory_is_what_the_system_makes_of_it(text in "(/|\\.|a|é|\0|\n){0,8}|\\PC*") {
        let parts = Path::new(&text).components();
        let normalised: Option<String> = parts.skip(1).map(|part| match part {
            Component::Normal(part) => Some(format!("/{}", part.to_str()?)),
            _ => None,
        }).collect();
        if is_plain_directory(&text) {
            prop_assert_eq!(normalised, Some(text));
        }
    }
}
