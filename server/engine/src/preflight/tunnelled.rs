//! Memory through the two libvirt daemons: the way out where the ports for the memory are closed.

use model::{ControlFlow, Finding, FindingCode, HostOrigin};

use super::input::{PreflightInput, Route};

/// Whether it could go that way.
pub(super) fn is_possible(input: &PreflightInput, route: &Route) -> bool {
    input.is_live() && !route.copies_disks && input.destination.origin != HostOrigin::Temporary
}

/// What it costs, where it was chosen.
pub(super) fn finding(input: &PreflightInput, route: &Route) -> Option<Finding> {
    let (code, there) = (FindingCode::Tunnelled, input.there());
    if route.control_flow != ControlFlow::Tunnelled {
        return None;
    }
    if route.copies_disks {
        let text = format!("Disks that are not shared can't be copied to {there} through the libvirt daemons.");
        let fix = "Choose another way, and open the TCP ports 49152 to 49215 there for the other hosts.";
        return Some(Finding::blocker(code, text).with_fix(fix));
    }
    let text = format!(
        "The memory goes through the libvirt daemons of {} and {there}: slower, and at the cost of their processors.",
        input.vm.host
    );
    let fix = "Open the TCP ports 49152 to 49215 there for the other hosts, and let it go from host to host.";
    Some(Finding::warning(code, text).with_fix(fix).needs_consent())
}
