//! Networks, bridges, devices and filters that the VM's interfaces need at the destination, and names and addresses that have to be
//! free there.

use std::collections::BTreeSet;

use model::{Finding, FindingCode};

use super::input::PreflightInput;
use crate::hypervisor::{Interface, Neighbour};

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    let references = &input.domain.references;
    let mut networks: BTreeSet<_> = references.listen_networks.iter().collect();
    let mut devices = BTreeSet::new();
    let mut passed_through = BTreeSet::new();
    for interface in &input.domain.interfaces {
        match interface {
            Interface::Network { name } => networks.insert(name),
            Interface::Bridge { name } | Interface::Direct { device: name } => devices.insert(name),
            Interface::HostDevice { kind } => passed_through.insert(kind),
            Interface::Independent => false,
        };
    }
    let networks = networks.into_iter().map(|name| network(input, name));
    let devices = devices.into_iter().map(|name| device(input, name));
    let passed_through = passed_through.into_iter().filter(|_| input.is_live()).map(|kind| host_device(input, kind));
    let filters = references.network_filters.iter().map(|name| filter(input, name));
    let taps = references.taps.iter().map(|name| tap(input, name));
    networks.chain(devices).chain(passed_through).chain(filters).chain(taps).chain(macs(input)).collect()
}

fn network(input: &PreflightInput, name: &str) -> Finding {
    let (code, destination) = (FindingCode::Network, input.destination_name());
    let Some(networks) = &input.destination.survey.networks else {
        return Finding::unknown(
            code,
            format!("{destination} does not say which networks it has; {} needs {name}.", input.vm.name),
        );
    };
    match networks.iter().find(|network| network.name == name) {
        Some(network) if network.active => {
            Finding::ok(code, format!("{destination} has the network {name}, and it is active."))
        }
        Some(_) => input
            .lacking(code, format!("The network {name} of {destination} is not active."))
            .with_fix(format!("Start it there (virsh net-start {name}).")),
        None => input
            .lacking(code, format!("{destination} has no network {name}."))
            .with_fix("Define a network of that name there, or attach the VM to one that both hosts have."),
    }
}

fn device(input: &PreflightInput, name: &str) -> Finding {
    let (code, destination) = (FindingCode::Bridge, input.destination_name());
    match &input.destination.survey.devices {
        None => Finding::unknown(
            code,
            format!("{destination} does not say which network devices it has; {} needs {name}.", input.vm.name),
        ),
        Some(devices) if devices.iter().any(|device| device == name) => {
            Finding::ok(code, format!("{destination} has {name}."))
        }
        Some(_) => input
            .lacking(code, format!("{destination} has no bridge or network device {name}."))
            .with_fix("Make one of that name there, or attach the VM to one that both hosts have."),
    }
}

fn host_device(input: &PreflightInput, kind: &str) -> Finding {
    let text = format!(
        "A network interface of {} is a device of {} itself ({kind}).",
        input.vm.name, input.source.config.name
    );
    Finding::blocker(FindingCode::HostDevice, text).with_fix("Detach it, move the VM, and attach another there.")
}

fn filter(input: &PreflightInput, name: &str) -> Finding {
    let (code, destination) = (FindingCode::NetworkFilter, input.destination_name());
    match &input.destination.survey.provided.network_filters {
        None => Finding::unknown(
            code,
            format!("{destination} does not say which network filters it has; {} needs {name}.", input.vm.name),
        ),
        Some(filters) if filters.contains(name) => {
            Finding::ok(code, format!("{destination} has the network filter {name}; its rules were not compared."))
        }
        Some(_) => input
            .lacking(code, format!("{destination} has no network filter {name}."))
            .with_fix("Define the same filter there (virsh nwfilter-define), or take it off the interface."),
    }
}

/// libvirt refuses a name that a network device has, whoever made it, but does not list tap devices.
fn tap(input: &PreflightInput, name: &str) -> Finding {
    let (code, destination) = (FindingCode::InterfaceName, input.destination_name());
    let survey = &input.destination.survey;
    let has_it = |neighbour: &&Neighbour| neighbour.active && neighbour.references.taps.contains(name);
    let owner = survey.provided.neighbours.iter().flatten().find(has_it);
    let fix = "Give it another name, or leave the name to libvirt.";
    if let Some(other) = owner {
        let text = format!("{} on {destination} has the tap device {name} of {}.", other.name, input.vm.name);
        return input.lacking(code, text).with_fix(fix);
    }
    if survey.devices.iter().flatten().any(|device| device == name) {
        let text = format!("{destination} has a network device {name} already, which {} wants to make.", input.vm.name);
        return input.lacking(code, text).with_fix(fix);
    }
    let text = format!(
        "No VM that {destination} shows has a tap device {name}; whether another program has can't be seen from libvirt."
    );
    Finding::unknown(code, text).with_fix(fix)
}

fn macs(input: &PreflightInput) -> Option<Finding> {
    let (code, destination) = (FindingCode::MacAddress, input.destination_name());
    let (macs, name) = (&input.domain.references.macs, &input.vm.name);
    if macs.is_empty() {
        return None;
    }
    let Some(neighbours) = &input.destination.survey.provided.neighbours else {
        let text = format!("Whether a VM on {destination} has a MAC address of {name} can't be told.");
        return Some(Finding::unknown(code, text));
    };
    let owner = neighbours.iter().find_map(|neighbour| {
        let mac = neighbour.references.macs.intersection(macs).next()?;
        Some((neighbour, mac))
    });
    Some(match owner {
        Some((other, mac)) => {
            let text = format!("{} on {destination} has the MAC address {mac} of {name}.", other.name);
            Finding::warning(code, text)
                .with_fix("Give one of them another: in one network neither is reached reliably.")
        }
        None => Finding::ok(code, format!("No VM on {destination} has a MAC address of {name}.")),
    })
}
