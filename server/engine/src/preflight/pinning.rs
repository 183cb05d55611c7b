//! CPUs and NUMA nodes of the host that the VM is pinned to.

use std::collections::BTreeSet;

use model::{Finding, FindingCode};

use super::input::PreflightInput;

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    [cpus(input), numa_nodes(input)].into_iter().flatten().collect()
}

/// The kernel refuses to run a thread on a set of which the host has no CPU. Of a set that it has in part, the scheduler ignores the
/// rest; the cpuset controller, which libvirt uses where it is there, may refuse the set.
fn cpus(input: &PreflightInput) -> Option<Finding> {
    let (code, name, destination) = (FindingCode::PinnedCpus, &input.vm.name, input.destination_name());
    let sets = &input.domain.references.cpu_sets;
    let pinned: BTreeSet<u32> = sets.iter().flatten().copied().collect();
    if pinned.is_empty() {
        return None;
    }
    let Some(cpus) = &input.destination.survey.provided.cpus else {
        return Some(Finding::unknown(
            code,
            format!("{destination} does not say which CPUs it has; {name} is pinned."),
        ));
    };
    let missing: BTreeSet<u32> = pinned.difference(cpus).copied().collect();
    let fix = format!("Pin it to CPUs that {destination} has (virsh vcpupin, emulatorpin), or unpin it.");
    Some(if missing.is_empty() {
        Finding::ok(code, format!("{destination} has the CPUs that {name} is pinned to: {}.", listed(&pinned)))
    } else if sets.iter().any(|set| !set.is_empty() && set.is_disjoint(cpus)) {
        input
            .lacking(code, format!("{name} is pinned to CPUs that {destination} does not have: {}.", listed(&missing)))
            .with_fix(fix)
    } else {
        let text = format!(
            "{destination} lacks some of the CPUs that {name} is pinned to: {}. Whether it starts with the others depends on the control \
             groups that libvirt uses there, which it does not say.",
            listed(&missing)
        );
        Finding::unknown(code, text).with_fix(fix)
    })
}

/// libvirt refuses to start a VM if one node is missing (`virNumaNodesetIsAvailable`), whatever the mode.
fn numa_nodes(input: &PreflightInput) -> Option<Finding> {
    let (code, name, destination) = (FindingCode::NumaNodes, &input.vm.name, input.destination_name());
    let wanted = &input.domain.references.numa_nodes;
    if wanted.is_empty() {
        return None;
    }
    let Some(nodes) = &input.destination.survey.provided.numa_nodes else {
        let text = format!("{destination} does not say which NUMA nodes it has; {name} needs {}.", listed(wanted));
        return Some(Finding::unknown(code, text));
    };
    let missing: BTreeSet<u32> = wanted.difference(nodes).copied().collect();
    Some(if missing.is_empty() {
        Finding::ok(code, format!("{destination} has the NUMA nodes of {name}: {}.", listed(wanted)))
    } else {
        input
            .lacking(
                code,
                format!(
                    "The memory of {name} is from NUMA nodes that {destination} does not have: {}.",
                    listed(&missing)
                ),
            )
            .with_fix("Take the nodes out of numatune, or choose those of the destination.")
    })
}

fn listed(numbers: &BTreeSet<u32>) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}
