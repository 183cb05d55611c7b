use std::net::Ipv4Addr;

use async_trait::async_trait;
use engine::{AllowedNetworks, Daemon};
use tokio::net::TcpListener;

use super::*;
use crate::SystemResolver;

fn connector_in(allowed: AllowedNetworks) -> Connector {
    let networks = Networks::new(allowed, &[], SystemResolver);
    Connector::new(SshFiles::below(std::path::Path::new("/nonexistent")), Arc::new(networks))
}

fn connector() -> Connector {
    connector_in(AllowedNetworks::Any)
}

fn config(port: u16) -> HostConfig {
    let address: Address = "127.0.0.1".parse().unwrap();
    let transport = Transport::Tcp { address: address.clone(), port, daemon: Daemon::System };
    HostConfig {
        name: "alpha".parse().unwrap(),
        transport: transport.clone(),
        peer_address: address,
        peer_transport: transport,
        bandwidth_mib_s: None,
        policy_defaults: model::PolicyDefaults::default(),
        shared_directories: Vec::new(),
        budget: model::HostBudget::default(),
    }
}

fn host_connector(port: u16) -> HostConnector {
    connector().to(&config(port), "alpha")
}

#[tokio::test]
async fn a_closed_port_is_reported_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    assert_eq!(host_connector(port).check_reachable().await, Ok(()));
    drop(listener);
    let problem = host_connector(port).check_reachable().await.unwrap_err();
    assert_eq!(problem.kind, HostErrorKind::Unreachable);
    assert_eq!(problem.sentence, format!("alpha does not answer: connection refused at 127.0.0.1 port {port}."));
    assert!(problem.fix.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_login_that_hangs_is_reported_before_the_time_limit_of_opening() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ssh = Ssh {
        address: "127.0.0.1".parse().unwrap(),
        port: listener.local_addr().unwrap().port(),
        user: "root".parse().unwrap(),
        login: SshLogin::ConsoleKey,
        fingerprint: None,
    };
    let host_connector = connector().to(&HostConfig { transport: Transport::Ssh(ssh), ..config(1) }, "alpha");
    let problem =
        host_connector.within_limit(host_connector.open(1, KeepAlive::PROMPT, |_| Ok(()))).await.map(drop).unwrap_err();
    assert_eq!(problem.kind, HostErrorKind::Unreachable);
    assert!(problem.fix.is_some_and(|fix| fix.contains("MaxAuthTries")), "{}", problem.sentence);
}

#[tokio::test(start_paused = true)]
async fn opening_ends_after_its_time_limit() {
    let host_connector = host_connector(1);
    let problem = host_connector.within_limit(std::future::pending::<Result<(), HostError>>()).await.unwrap_err();
    assert_eq!(problem.kind, HostErrorKind::Unreachable);
    assert_eq!(problem.sentence, "alpha does not answer: no answer within 10 s.");
}

/// Knows one name, of this machine.
struct OwnName;

#[async_trait]
impl engine::Resolve for OwnName {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        assert_eq!(name, "console.example");
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }

    fn is_own(&self, _address: IpAddr) -> bool {
        false
    }
}

/// The answers of the host at this address at an open and at a closed port, and whether the open one was connected to.
async fn open_and_closed(networks: Networks, address: &str) -> ([Result<(), HostError>; 2], bool) {
    let connector = Connector::new(SshFiles::below(std::path::Path::new("/nonexistent")), Arc::new(networks));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = listener.local_addr().unwrap().port();
    let answer = async |port| {
        let address: Address = address.parse().unwrap();
        let transport = Transport::Tcp { address: address.clone(), port, daemon: Daemon::System };
        let host = HostConfig { transport, ..config(port) };
        connector.to(&host, "alpha").check_reachable().await
    };
    let answers = [answer(open).await, answer(1).await];
    let was_connected_to = timeout(Duration::from_millis(50), listener.accept()).await.is_ok();
    (answers, was_connected_to)
}

#[tokio::test]
async fn this_machines_own_ports_all_give_one_answer_and_are_not_connected_to() {
    for address in ["console.example", "127.0.0.1"] {
        let networks = Networks::new(AllowedNetworks::Routed, &[], OwnName);
        let ([open, closed], was_connected_to) = open_and_closed(networks, address).await;
        assert_eq!(open, closed);
        let problem = open.unwrap_err();
        assert_eq!(problem.kind, HostErrorKind::Unreachable);
        assert!(problem.sentence.contains("127.0.0.1"), "{}", problem.sentence);
        assert!(!was_connected_to, "{address}");
    }
}

#[tokio::test]
async fn a_further_connection_is_checked_like_the_first() {
    let networks = Networks::new(AllowedNetworks::Routed, &[], OwnName);
    let connector = Connector::new(SshFiles::below(std::path::Path::new("/nonexistent")), Arc::new(networks));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // libvirt looks this name up itself, so that vmferry has to do it before.
    let transport = Transport::Tls { address: "console.example".parse().unwrap(), port };
    let host = connector.to(&HostConfig { transport, ..config(port) }, "alpha");
    let problem = host.open_for_long_call().await.map(drop).unwrap_err();
    assert!(problem.sentence.contains("not in a network"), "{}", problem.sentence);
    assert!(timeout(Duration::from_millis(50), listener.accept()).await.is_err(), "it is not connected to");
}

#[tokio::test]
async fn a_host_of_the_configuration_may_be_this_machine() {
    let own = HostConfig { peer_address: "console.example".parse().unwrap(), ..config(1) };
    let networks = Networks::new(AllowedNetworks::Routed, &[own], OwnName);
    let ([open, closed], was_connected_to) = open_and_closed(networks, "console.example").await;
    assert_eq!(open, Ok(()));
    assert!(closed.unwrap_err().sentence.contains("connection refused"));
    assert!(was_connected_to);
}

#[tokio::test]
async fn libvirt_gets_the_address_that_was_checked_and_not_the_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let networks = Networks::new(AllowedNetworks::Any, &[], OwnName);
    let connector = Connector::new(SshFiles::below(std::path::Path::new("/nonexistent")), Arc::new(networks));
    let transport = Transport::Tcp { address: "console.example".parse().unwrap(), port, daemon: Daemon::System };
    let host = connector.to(&HostConfig { transport, ..config(port) }, "alpha");
    assert_eq!(host.uri().await, Ok(format!("qemu+tcp://127.0.0.1:{port}/system")));
}

/// The threads of this process that open a connection to a host of this name.
fn threads_of(host: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == format!("libvirt-{host}")).count()
}

#[tokio::test]
async fn silent_ports_leave_few_threads_whatever_their_number() {
    let connector = connector();
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
    }
    // A caller that has left leaves its thread behind: nothing waits for a time limit here.
    for _ in 0..2 {
        for listener in &silent {
            let host = connector.to(&config(listener.local_addr().unwrap().port()), "mute");
            let opening = host.open(1, KeepAlive::PROMPT, |_| Ok(()));
            // Long enough to get a permit and start the thread, where there is one.
            let _ = timeout(Duration::from_millis(5), opening).await;
        }
    }
    assert_eq!(threads_of("mute"), TO_STRANGERS);
}
