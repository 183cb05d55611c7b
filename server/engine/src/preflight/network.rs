//! Networks, bridges and devices that the VM's interfaces need at the destination.

use std::collections::BTreeSet;

use model::{Finding, FindingCode};

use super::input::PreflightInput;
use crate::hypervisor::Interface;

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    let mut networks = BTreeSet::new();
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
    networks.chain(devices).chain(passed_through).collect()
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
