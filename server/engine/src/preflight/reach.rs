//! Whether the source will reach the destination: by which address, through which port.

use std::net::IpAddr;

use model::{ControlFlow, Finding, FindingCode};

use super::{
    input::{PreflightInput, Route},
    tunnelled,
};
use crate::hypervisor::{Address, HostConfig, Probe, Transport};

/// The first port libvirt takes for the memory, unless `migration_port_min` in its qemu.conf says otherwise.
pub(super) const DATA_PORT: u16 = 49152;

pub(super) fn findings(input: &PreflightInput, route: &Route) -> Vec<Finding> {
    let mut findings = vec![data_address(input, route.control_flow)];
    findings.extend(data_port(input, route));
    findings
}

/// An address that means "myself" leads the source to itself. Test hosts on one machine (`127.0.0.2` and on) do mean each other.
fn data_address(input: &PreflightInput, control_flow: ControlFlow) -> Finding {
    let (code, destination) = (FindingCode::DataAddress, input.destination_name());
    let nowhere = |address: &Address| is_nowhere(address) || (is_loopback(address) && !is_local(&input.source.config));
    match addresses(&input.destination.config, control_flow).into_iter().find(|address| nowhere(address)) {
        Some(address) => Finding::blocker(
            code,
            format!("{destination} is registered as {address}, which leads {} to itself.", input.vm.host),
        )
        .with_fix("Give it an address that other hosts reach it by (peer_address in the configuration)."),
        None => {
            Finding::ok(code, format!("Other hosts reach {destination} as {}.", input.destination.config.peer_address))
        }
    }
}

fn data_port(input: &PreflightInput, route: &Route) -> Option<Finding> {
    let (code, destination) = (FindingCode::DataPort, input.destination_name());
    if route.control_flow == ControlFlow::Tunnelled {
        return None;
    }
    Some(match input.probe.as_ref()? {
        Probe::Answers => {
            Finding::ok(code, format!("{destination} answers on port {DATA_PORT} (as seen from the console)."))
        }
        Probe::Silent(words) => {
            let text = format!(
                "{destination} does not answer the console on port {DATA_PORT}. Whether it answers {} is not known before a move.",
                input.vm.host
            );
            let way_out = match tunnelled::is_possible(input, route) {
                true => "; or let the memory go through the libvirt daemons (tunnelled), which is slower",
                false => "",
            };
            Finding::unknown(code, text)
                .with_fix(format!("Open the TCP ports 49152 to 49215 there for the other hosts{way_out}."))
                .with_details(words)
        }
    })
}

/// What a source uses of a destination: where its daemon is, unless the console drives it, and where the memory goes.
fn addresses(config: &HostConfig, control_flow: ControlFlow) -> Vec<&Address> {
    let login = match &config.peer_transport {
        _ if control_flow == ControlFlow::Direct => None,
        Transport::Local => None,
        Transport::Tcp { address, .. } | Transport::Tls { address, .. } => Some(address),
        Transport::Ssh(ssh) => Some(&ssh.address),
    };
    std::iter::once(&config.peer_address).chain(login).collect()
}

fn is_local(config: &HostConfig) -> bool {
    is_loopback(&config.peer_address)
}

pub(super) fn is_loopback(address: &Address) -> bool {
    address.ip().is_some_and(|ip| ip.to_canonical().is_loopback())
}

/// libvirt itself refuses names that begin with `localhost`.
fn is_nowhere(address: &Address) -> bool {
    match address {
        Address::Name(name) => name.starts_with("localhost"),
        other => other.ip().is_some_and(|ip: IpAddr| ip.is_unspecified()),
    }
}
