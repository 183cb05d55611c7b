//! Addresses that a libvirt network gives the guest: each host's network has its own list of them.

use std::collections::BTreeMap;

use model::{Finding, FindingCode};

use super::input::PreflightInput;
use crate::hypervisor::{DhcpNetwork, Interface, Survey};

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    let names = input.domain.interfaces.iter().filter_map(|interface| match interface {
        Interface::Network { name } => Some(name.as_str()),
        _ => None,
    });
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| address(input, name)).collect()
}

/// What becomes of the addresses that the source's network of this name gives the VM; none if it gives it none.
fn address(input: &PreflightInput, name: &str) -> Option<Finding> {
    let here = network(&input.source.survey, name)?;
    let (code, vm, destination) = (FindingCode::DhcpAddress, &input.vm.name, input.destination_name());
    let there = network(&input.destination.survey, name);
    let its_own = |network: &DhcpNetwork| -> BTreeMap<String, String> {
        let is_its_own = |(mac, _): &(&String, &String)| input.domain.references.macs.contains(*mac);
        network.fixed.iter().filter(is_its_own).map(|(mac, address)| (mac.clone(), address.clone())).collect()
    };
    let fixed = its_own(here);
    let missing: Vec<String> = {
        let known = there.map(its_own).unwrap_or_default();
        let is_missing = |(mac, address): &(&String, &String)| known.get(*mac) != Some(*address);
        fixed.iter().filter(is_missing).map(|(mac, address)| format!("{mac} {address}")).collect()
    };
    Some(match (fixed.is_empty(), missing.is_empty()) {
        (true, _) => Finding::unknown(
            code,
            format!(
                "The network {name} gave {vm} its address, and {destination} does not know which: the guest may get another one when it asks again."
            ),
        ),
        (false, true) => {
            Finding::ok(code, format!("The network {name} gives {vm} the same address on {destination}."))
        }
        (false, false) => Finding::warning(
            code,
            format!("The network {name} gives {vm} a fixed address, and that of {destination} does not: it gets another one there."),
        )
        .with_fix(format!("Enter it there, too (virsh net-update {name} add ip-dhcp-host)."))
        .with_details(missing.join(", ")),
    })
}

fn network<'a>(survey: &'a Survey, name: &str) -> Option<&'a DhcpNetwork> {
    survey.dhcp.iter().flatten().find(|network| network.name == name)
}
