//! Memory by RDMA, where that was asked for.

use model::{ControlFlow, Finding, FindingCode};

use super::input::{Party, PreflightInput, Route};

/// Whether the memory will go by RDMA.
pub(super) fn goes(input: &PreflightInput, route: &Route) -> bool {
    is_asked_for(input) && why_not(input, route).is_none()
}

pub(super) fn finding(input: &PreflightInput, route: &Route) -> Option<Finding> {
    let code = FindingCode::Rdma;
    is_asked_for(input).then(|| match why_not(input, route) {
        None => Finding::ok(
            code,
            "Both hosts offer RDMA, and the VM's memory has the hard limit that libvirt wants for it.",
        ),
        Some(why) => Finding::warning(code, format!("The memory goes by TCP, and not by RDMA: {why}.")),
    })
}

fn is_asked_for(input: &PreflightInput) -> bool {
    input.options.rdma && input.is_live()
}

fn why_not(input: &PreflightInput, route: &Route) -> Option<String> {
    if route.control_flow == ControlFlow::Tunnelled {
        return Some("tunnelled it goes through the libvirt daemons".to_owned());
    }
    if !input.domain.memory_has_hard_limit {
        return Some(
            "libvirt wants the VM's memory to have a hard limit for it (virsh memtune --hard-limit)".to_owned(),
        );
    }
    [&input.source, &input.destination].into_iter().find_map(|Party { config, survey, .. }| match survey.rdma {
        Some(true) => None,
        Some(false) => Some(format!("{} has no network device for it", config.name)),
        None => Some(format!("{} does not say whether it has a network device for it", config.name)),
    })
}
