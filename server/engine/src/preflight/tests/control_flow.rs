//! Which control flow a migration has, and what crosses a network in the clear.

use std::sync::Arc;

use model::{ControlFlow, FindingCode as Code, HostOrigin, Migration, Severity::*};

use super::*;
use crate::{
    hypervisor::{Ssh, SshLogin},
    storage::tests::{file, pool},
};

const DAY: u64 = 24 * 60 * 60 * 1000;

fn login(change: impl FnOnce(&mut PreflightInput)) -> (ControlFlow, Severity, String) {
    let mut input = input();
    change(&mut input);
    let preflight = conclude(&input);
    let finding = preflight.findings.into_iter().find(|finding| finding.code == Code::PeerLogin).unwrap();
    (preflight.control_flow, finding.severity, finding.text)
}

fn control_flow(change: impl FnOnce(&mut PreflightInput)) -> (ControlFlow, Severity) {
    let (control_flow, severity, _) = login(change);
    (control_flow, severity)
}

/// A move that succeeded with this control flow at this time, in ms since 1970.
fn moved(control_flow: ControlFlow, at_ms: u64) -> Migration {
    Migration {
        control_flow: Some(control_flow),
        created_at_ms: at_ms,
        ended_at_ms: Some(at_ms),
        ..prediction::move_at(1 << 20)
    }
}

#[test]
fn peer_to_peer_unless_something_speaks_against_it() {
    assert_eq!(control_flow(|_| {}), (ControlFlow::PeerToPeer, Unknown));
    let (chosen, severity, text) = login(|input| input.destination.origin = HostOrigin::Temporary);
    assert_eq!((chosen, severity), (ControlFlow::Direct, Ok));
    assert_eq!(
        text,
        "Direct, as beta is not registered: the console is logged in at both hosts; if it dies meanwhile, the move is undone and \
         web stays on alpha."
    );
    let (chosen, severity, text) = login(|input| input.refused_login_ms = Some(input.now_ms - 60_000));
    assert_eq!((chosen, severity), (ControlFlow::Direct, Ok));
    assert!(text.starts_with("Direct, as alpha could not log in on beta 1 min ago: "), "{text}");
}

#[test]
fn what_was_asked_for_comes_first() {
    let chosen = |wanted: ControlFlow| {
        control_flow(|input| {
            input.options.control_flow = Some(wanted);
            input.destination.origin = HostOrigin::Temporary;
            input.refused_login_ms = Some(input.now_ms);
        })
    };
    assert_eq!(chosen(ControlFlow::PeerToPeer), (ControlFlow::PeerToPeer, Unknown));
    assert_eq!(chosen(ControlFlow::Direct), (ControlFlow::Direct, Ok));
    assert_eq!(chosen(ControlFlow::Tunnelled), (ControlFlow::Tunnelled, Unknown));
    let off = control_flow(|input| {
        offline(input);
        input.options.control_flow = Some(ControlFlow::Tunnelled);
    });
    assert_eq!(off, (ControlFlow::PeerToPeer, Unknown), "there is no memory to go through the daemons");
}

#[test]
fn earlier_moves_tell_whether_the_source_may_log_in() {
    let after = |earlier: &[Migration]| {
        control_flow(|input| {
            input.now_ms = 10 * DAY;
            input.earlier = earlier.to_vec();
        })
    };
    let now = 10 * DAY;
    let (worked, refused, unknown) =
        ((ControlFlow::PeerToPeer, Ok), (ControlFlow::Direct, Ok), (ControlFlow::PeerToPeer, Unknown));
    assert_eq!(
        after(&[Migration { control_flow: None, ..moved(ControlFlow::PeerToPeer, now) }]),
        worked,
        "no other control flow was possible then"
    );
    assert_eq!(after(&[moved(ControlFlow::Tunnelled, now)]), worked);
    assert_eq!(after(&[moved(ControlFlow::Direct, now - 1)]), refused);
    assert_eq!(after(&[moved(ControlFlow::Direct, now - 1), moved(ControlFlow::PeerToPeer, now - 2)]), refused);
    assert_eq!(after(&[moved(ControlFlow::Direct, now - DAY)]), unknown, "an admin may have given it a key");
    assert_eq!(
        after(&[moved(ControlFlow::Direct, now - 1), moved(ControlFlow::Direct, now - DAY)]),
        unknown,
        "nor has it tried since"
    );
    let mut wanted = moved(ControlFlow::Direct, now - 1);
    wanted.options.control_flow = Some(ControlFlow::Direct);
    assert_eq!(after(&[wanted.clone()]), unknown, "it says nothing of the login");
    assert_eq!(after(&[wanted, moved(ControlFlow::PeerToPeer, now - 2)]), worked);
}

fn encryption(change: impl FnOnce(&mut PreflightInput)) -> (bool, Severity, String) {
    let mut input = input();
    change(&mut input);
    let preflight = conclude(&input);
    let finding = preflight.findings.into_iter().find(|finding| finding.code == Code::Encryption).unwrap();
    (preflight.encrypted, finding.severity, finding.text)
}

fn has(party: &mut Party, certificates: Option<Certificates>) {
    Arc::make_mut(&mut party.survey).certificates = certificates;
}

/// Those that can be used, but for one thing.
fn changed(party: &mut Party, change: impl FnOnce(&mut String, &mut Vec<String>, &mut u64)) {
    if let Some(Certificates::Usable { authority, names, until_ms }) =
        &mut Arc::make_mut(&mut party.survey).certificates
    {
        change(authority, names, until_ms);
    }
}

#[test]
fn encrypted_where_both_hosts_have_certificates() {
    assert_eq!(
        encryption(|_| {}),
        (true, Ok, "The contents of the memory of web are encrypted on the way to beta.".into())
    );
    let by_address = encryption(|input| {
        input.destination.config.peer_address = "192.0.2.7".parse().unwrap();
        changed(&mut input.destination, |_, names, _| *names = vec!["beta".into(), "192.0.2.7".into()]);
    });
    assert!(by_address.0, "{by_address:?}");
}

/// What is changed, and what is said then.
type Reason = (fn(&mut PreflightInput), &'static str);

#[test]
fn what_is_in_the_clear_is_said_with_the_reason() {
    let cases: [Reason; 7] = [
        (|input| has(&mut input.source, None), "alpha does not say whether it has certificates"),
        (
            |input| {
                for party in [&mut input.source, &mut input.destination] {
                    has(party, Some(Certificates::Missing(vec!["/etc/pki/qemu/ca-cert.pem".into()])));
                }
            },
            "alpha has no /etc/pki/qemu/ca-cert.pem, and beta has no /etc/pki/qemu/ca-cert.pem",
        ),
        (
            |input| has(&mut input.destination, Some(Certificates::Unusable("The key can't be read.".into()))),
            "the certificates of beta can't be used (The key can't be read)",
        ),
        (
            |input| changed(&mut input.source, |_, _, until_ms| *until_ms = 1_000_000),
            "the certificates of alpha have expired",
        ),
        (|input| changed(&mut input.source, |authority, _, _| authority.push('0')), "from different authorities"),
        (
            |input| changed(&mut input.destination, |_, names, _| names.clear()),
            "the certificate of beta is not for beta.example.org",
        ),
        (|input| input.options.encrypt = Some(false), "that was asked for"),
    ];
    for (change, why) in cases {
        let (encrypted, severity, text) = encryption(change);
        assert_eq!((encrypted, severity), (false, Warning), "{text}");
        assert!(text.starts_with("The contents of the memory of web are in the clear") && text.contains(why), "{text}");
        let (encrypted, severity, text) = encryption(|input| {
            change(input);
            input.options.encrypt = Some(true);
        });
        let expected = if why == "that was asked for" { Ok } else { Blocker };
        assert_eq!((encrypted, severity), (expected == Ok, expected), "{text}");
        let within = encryption(|input| {
            change(input);
            input.destination.config.peer_address = "127.0.0.3".parse().unwrap();
        });
        assert_eq!((within.0, within.1), (false, Ok), "it does not leave the machine");
    }
}

#[test]
fn a_login_by_ssh_or_tls_encrypts_what_is_tunnelled() {
    let tunnelled = |peer_transport: fn(&Address) -> Transport| {
        encryption(move |input| {
            input.options.control_flow = Some(ControlFlow::Tunnelled);
            input.destination.config.peer_transport = peer_transport(&input.destination.config.peer_address);
        })
    };
    let plain = tunnelled(|address| Transport::Tcp { address: address.clone(), port: 16509, daemon: Daemon::System });
    assert_eq!((plain.0, plain.1), (false, Warning), "{}", plain.2);
    let tls = tunnelled(|address| Transport::Tls { address: address.clone(), port: 16514 });
    assert_eq!((tls.0, tls.1), (true, Ok), "{}", tls.2);
    let ssh = tunnelled(|address| {
        let (address, user) = (address.clone(), "root".parse().unwrap());
        Transport::Ssh(Ssh { address, port: 22, user, login: SshLogin::Program, fingerprint: None })
    });
    assert_eq!((ssh.0, ssh.1), (true, Ok), "{}", ssh.2);
}

/// A disk that is to be copied to a pool of the destination's own.
fn with_disk(input: &mut PreflightInput) {
    of(input).disks = vec![file("/images/web.qcow2")];
    for party in [&mut input.source, &mut input.destination] {
        Arc::make_mut(&mut party.survey).pools = Some(vec![pool("images", "/images")]);
    }
}

#[test]
fn disks_of_a_vm_that_is_off_go_through_the_console() {
    let off = |transport: fn(&Address) -> Transport| {
        encryption(move |input| {
            offline(input);
            with_disk(input);
            for party in [&mut input.source, &mut input.destination] {
                party.config.transport = transport(&party.config.peer_address);
            }
        })
    };
    let plain = off(|address| Transport::Tcp { address: address.clone(), port: 16509, daemon: Daemon::System });
    assert_eq!((plain.0, plain.1), (false, Warning));
    assert!(plain.2.contains("go through the console, which talks to alpha by plain TCP"), "{}", plain.2);
    let tls = off(|address| Transport::Tls { address: address.clone(), port: 16514 });
    assert_eq!((tls.0, tls.1), (true, Ok));
    assert!(found(offline, Code::Encryption).is_none(), "nothing but a definition moves");
}

#[test]
fn rdma_where_both_hosts_offer_it() {
    let rdma = |here, there| {
        move |input: &mut PreflightInput| {
            input.options.rdma = true;
            of(input).memory_has_hard_limit = true;
            Arc::make_mut(&mut input.source.survey).rdma = here;
            Arc::make_mut(&mut input.destination.survey).rdma = there;
        }
    };
    assert_eq!(severity(rdma(Some(true), Some(true)), Code::Rdma), Some(Ok));
    let (encrypted, severity_of_the_clear, text) = encryption(rdma(Some(true), Some(true)));
    assert_eq!((encrypted, severity_of_the_clear), (false, Warning), "{text}");
    for (here, there) in [(Some(true), Some(false)), (Some(false), Some(true)), (Some(true), None)] {
        assert_eq!(severity(rdma(here, there), Code::Rdma), Some(Warning));
        assert!(encryption(rdma(here, there)).0, "it goes by TCP");
    }
    let tunnelled = |input: &mut PreflightInput| {
        rdma(Some(true), Some(true))(input);
        input.options.control_flow = Some(ControlFlow::Tunnelled);
    };
    assert_eq!(severity(tunnelled, Code::Rdma), Some(Warning));
    let without_limit = |input: &mut PreflightInput| {
        rdma(Some(true), Some(true))(input);
        of(input).memory_has_hard_limit = false;
    };
    assert_eq!(severity(without_limit, Code::Rdma), Some(Warning), "libvirt would refuse");
    assert_eq!(severity(|_| {}, Code::Rdma), None, "it was not requested");
}

#[test]
fn tunnelled_is_offered_where_a_port_is_silent() {
    let silent = |input: &mut PreflightInput| input.probe = Some(Probe::Silent("no route to host".into()));
    let fix = |change: fn(&mut PreflightInput)| {
        let found = found(
            |input| {
                silent(input);
                change(input);
            },
            Code::DataPort,
        );
        found.map(|finding| finding.fix.unwrap())
    };
    assert!(fix(|_| {}).unwrap().contains("tunnelled"));
    assert!(!fix(with_disk).unwrap().contains("tunnelled"), "disks can't be tunnelled");
    assert!(!fix(|input| input.destination.origin = HostOrigin::Temporary).unwrap().contains("tunnelled"));
    assert_eq!(fix(|input| input.options.control_flow = Some(ControlFlow::Tunnelled)), None, "the port is not needed");
}

#[test]
fn tunnelled_takes_consent_and_no_disks() {
    let tunnelled = |input: &mut PreflightInput| input.options.control_flow = Some(ControlFlow::Tunnelled);
    let finding = found(tunnelled, Code::Tunnelled).unwrap();
    assert_eq!((finding.severity, finding.consent), (Warning, true));
    let with_disks = |input: &mut PreflightInput| {
        tunnelled(input);
        with_disk(input);
    };
    assert_eq!(severity(with_disks, Code::Tunnelled), Some(Blocker));
    let mut input = input();
    input.source.config.bandwidth_mib_s = Some(32);
    assert!(conclude(&input).prediction.is_some());
    tunnelled(&mut input);
    assert_eq!(conclude(&input).prediction, None, "the speed of two daemons is not known");
}
