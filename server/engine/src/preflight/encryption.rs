//! Whether what moves is encrypted in transit. What crosses a network in the clear is said before it does.

use std::net::IpAddr;

use model::{ControlFlow, Finding, FindingCode};

use super::{
    input::{Party, PreflightInput, Route},
    rdma, reach,
};
use crate::hypervisor::{Address, Certificates, Transport};

const MAKE_CERTIFICATES: &str = "Make certificates for both hosts: the command vmferry pki does.";

/// Whether it would be, and the sentence about it; none where nothing but a definition moves.
pub(super) fn of(input: &PreflightInput, route: &Route) -> (bool, Option<Finding>) {
    if !input.is_live() && !route.copies_disks {
        return (false, None);
    }
    let what = what(input, route);
    let why_not = match route.control_flow {
        _ if !input.is_live() => console(input),
        ControlFlow::Tunnelled => login(input),
        ControlFlow::PeerToPeer | ControlFlow::Direct => hosts(input, route),
    };
    let (code, destination) = (FindingCode::Encryption, input.destination_name());
    let finding = match why_not {
        None => return (true, Some(Finding::ok(code, format!("{what} encrypted on the way to {destination}.")))),
        Some((why, fix)) if input.options.encrypt == Some(true) => {
            Finding::blocker(code, format!("{what} not encrypted on the way to {destination}: {why}.")).with_fix(fix)
        }
        Some(_) if reach::is_loopback(&input.destination.config.peer_address) => {
            Finding::ok(code, format!("{what} not encrypted, and do not leave this machine."))
        }
        Some((why, fix)) => {
            Finding::warning(code, format!("{what} in the clear on the way to {destination}: {why}.")).with_fix(fix)
        }
    };
    (false, Some(finding))
}

fn what(input: &PreflightInput, route: &Route) -> String {
    let what = match (input.is_live(), route.copies_disks) {
        (true, true) => "Memory and disks",
        (true, false) => "The contents of the memory",
        (false, _) => "The contents of the disks",
    };
    format!("{what} of {} are", input.vm.name)
}

/// Why something is in the clear, and what would help.
type WhyNot = Option<(String, &'static str)>;

/// Disks of a VM that is off go through the console.
fn console(input: &PreflightInput) -> WhyNot {
    let plain = [&input.source, &input.destination].into_iter().find(|party| is_plain(&party.config.transport))?;
    let why = format!("they go through the console, which talks to {} by plain TCP", plain.config.name);
    Some((why, "Register the host with TLS or ssh."))
}

/// Tunnelled, memory goes along with the source's own login.
fn login(input: &PreflightInput) -> WhyNot {
    let plain = is_plain(&input.destination.config.peer_transport);
    let why = format!("{} logs in on {} by plain TCP", input.vm.host, input.destination_name());
    plain.then_some((why, "Let the hosts log in at each other by TLS or ssh."))
}

fn is_plain(transport: &Transport) -> bool {
    matches!(transport, Transport::Tcp { .. })
}

/// Everything else goes from QEMU to QEMU.
fn hosts(input: &PreflightInput, route: &Route) -> WhyNot {
    if rdma::goes(input, route) {
        return Some(("by RDMA nothing is encrypted".to_owned(), "Do without RDMA."));
    }
    if input.options.encrypt == Some(false) {
        return Some(("that was asked for".to_owned(), "Leave it to the console to choose."));
    }
    certificates(input).map(|why| (why, MAKE_CERTIFICATES))
}

/// What is wrong with both hosts' certificates, if anything.
fn certificates(input: &PreflightInput) -> Option<String> {
    let (from, destination) = (&input.vm.host, input.destination_name());
    let [here, other] = match [&input.source, &input.destination].map(|party| usable(party, input.now_ms)) {
        [Ok(here), Ok(other)] => [here, other],
        [Err(why), Ok(_)] | [Ok(_), Err(why)] => return Some(why),
        [Err(here), Err(other)] => return Some(format!("{here}, and {other}")),
    };
    if here.authority != other.authority {
        return Some(format!("the certificates of {from} and {destination} are from different authorities"));
    }
    let address = &input.destination.config.peer_address;
    let is_named = other.names.iter().any(|name| names(name, address));
    (!is_named).then(|| format!("the certificate of {destination} is not for {address}"))
}

struct Usable<'a> {
    authority: &'a str,
    names: &'a [String],
}

/// The host's certificates, or what is wrong with them.
fn usable(Party { config, survey, .. }: &Party, now_ms: u64) -> Result<Usable<'_>, String> {
    let host = &config.name;
    match &survey.certificates {
        None => Err(format!("{host} does not say whether it has certificates")),
        Some(Certificates::Missing(files)) => Err(format!("{host} has no {}", files.join(", "))),
        Some(Certificates::Unusable(why)) => {
            Err(format!("the certificates of {host} can't be used ({})", why.trim_end_matches('.')))
        }
        Some(Certificates::Usable { until_ms, .. }) if *until_ms <= now_ms => {
            Err(format!("the certificates of {host} have expired"))
        }
        Some(Certificates::Usable { authority, names, .. }) => Ok(Usable { authority, names }),
    }
}

fn names(name: &str, address: &Address) -> bool {
    match address.ip() {
        Some(ip) => name.parse::<IpAddr>().is_ok_and(|named| named == ip),
        None => name.eq_ignore_ascii_case(&address.to_string()),
    }
}
