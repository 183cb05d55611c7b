//! Addresses and ports that the VM listens on, and the context ID of its vsock: they have to be the destination's, and free there.

use model::{Finding, FindingCode};

use super::input::{Party, PreflightInput};
use crate::hypervisor::{Listener, Neighbour};

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    let listeners = &input.domain.references.listeners;
    let addresses = listeners.iter().filter_map(|listener| address(input, listener));
    let ports = listeners.iter().filter_map(|listener| port(input, listener));
    addresses.chain(ports).chain(vsock_cid(input)).collect()
}

/// libvirt does not report a host's addresses. Those that the hosts are registered with are known, and whose they are.
fn address(input: &PreflightInput, listener: &Listener) -> Option<Finding> {
    let address = listener.address.as_deref().filter(|_| !listener.is_everywhere())?;
    let (code, name, destination) = (FindingCode::ListenAddress, &input.vm.name, input.destination_name());
    let (source, purpose) = (&input.source.config.name, &listener.purpose);
    let fix = "Let it listen on an address that every host has: 0.0.0.0, :: or 127.0.0.1.";
    Some(if is_of(&input.destination, address) {
        Finding::ok(code, format!("{destination} has the address {address}, on which {name} listens ({purpose})."))
    } else if is_of(&input.source, address) {
        input
            .lacking(code, format!("{name} listens on {address} ({purpose}), which is an address of {source}."))
            .with_fix(fix)
    } else {
        let text = format!(
            "Whether {destination} has the address {address}, on which {name} listens ({purpose}), can't be told: libvirt does not report addresses."
        );
        Finding::unknown(code, text).with_fix(fix)
    })
}

/// Whether the host is registered with this address.
fn is_of(party: &Party, address: &str) -> bool {
    let config = &party.config;
    let known = [config.peer_address.to_string(), config.transport.address(), config.peer_transport.address()];
    known.iter().any(|known| known == address)
}

fn port(input: &PreflightInput, listener: &Listener) -> Option<Finding> {
    let port = listener.fixed_port()?;
    let (code, name, destination) = (FindingCode::ListenPort, &input.vm.name, input.destination_name());
    let purpose = &listener.purpose;
    let fix = "Let libvirt choose the port (autoport), give it another one, or stop what uses it there.";
    let collides = |neighbour: &Neighbour| {
        neighbour.active && neighbour.references.listeners.iter().any(|other| listener.collides_with(other))
    };
    Some(match input.destination.survey.provided.neighbours.as_deref() {
        None => Finding::unknown(
            code,
            format!("Whether port {port}, on which {name} listens ({purpose}), is free on {destination} can't be told: it does not show its VMs."),
        ),
        Some(neighbours) => match neighbours.iter().find(|neighbour| collides(neighbour)) {
            Some(other) => input
                .lacking(
                    code,
                    format!("{name} listens on port {port} ({purpose}), which {} has on {destination}.", other.name),
                )
                .with_fix(fix),
            None => Finding::unknown(
                code,
                format!("No VM on {destination} has port {port}, on which {name} listens ({purpose}); whether another program has it can't be seen from libvirt."),
            )
            .with_fix(fix),
        },
    })
}

fn vsock_cid(input: &PreflightInput) -> Option<Finding> {
    let cid = input.domain.references.vsock_cid?;
    let (code, name, destination) = (FindingCode::VsockCid, &input.vm.name, input.destination_name());
    let has_it = |neighbour: &&Neighbour| neighbour.active && neighbour.references.vsock_cid == Some(cid);
    Some(match input.destination.survey.provided.neighbours.as_deref() {
        None => Finding::unknown(
            code,
            format!(
                "Whether the vsock context ID {cid} of {name} is free on {destination} can't be told: it does not show its VMs."
            ),
        ),
        Some(neighbours) => match neighbours.iter().find(has_it) {
            Some(other) => input
                .lacking(code, format!("{} on {destination} has the vsock context ID {cid} of {name}.", other.name))
                .with_fix("Let libvirt choose the ID (<cid auto='yes'/>), or give one of them another."),
            None => Finding::ok(code, format!("No VM on {destination} has the vsock context ID {cid} of {name}.")),
        },
    })
}
