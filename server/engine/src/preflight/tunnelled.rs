//! Memory through the two libvirt daemons: for where the ports for the memory are closed.

use model::{ControlFlow, Finding, FindingCode, HostOrigin};

use super::input::{PreflightInput, Route};

/// Whether the tunnelled transport could be used.
pub(super) fn is_possible(input: &PreflightInput, route: &Route) -> bool {
    input.is_live() && !route.copies_disks && input.destination.origin != HostOrigin::Temporary
}

/// What it costs, where it was chosen.
pub(super) fn finding(input: &PreflightInput, route: &Route) -> Option<Finding> {
    let (code, destination) = (FindingCode::Tunnelled, input.destination_name());
    if route.control_flow != ControlFlow::Tunnelled {
        return None;
    }
    if route.copies_disks {
        let text = format!("Disks that are not shared can't be copied to {destination} through the libvirt daemons.");
        let fix = "Choose another way, and open the TCP ports 49152 to 49215 there for the other hosts.";
        return Some(Finding::blocker(code, text).with_fix(fix));
    }
    let text = format!(
        "The memory goes through the libvirt daemons of {} and {destination}: slower, and at the cost of their processors.",
        input.vm.host
    );
    let fix = "Open the TCP ports 49152 to 49215 there for the other hosts, and let it go from host to host.";
    Some(Finding::warning(code, text).with_fix(fix).needs_consent())
}
