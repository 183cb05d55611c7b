//! Memory by RDMA, where that was asked for.

use model::{ControlFlow, Finding, FindingCode};

use super::input::{Case, Party, Route};

/// Whether the memory will go by RDMA.
pub(super) fn goes(case: &Case, route: &Route) -> bool {
    is_asked_for(case) && why_not(case, route).is_none()
}

pub(super) fn finding(case: &Case, route: &Route) -> Option<Finding> {
    let code = FindingCode::Rdma;
    is_asked_for(case).then(|| match why_not(case, route) {
        None => Finding::ok(
            code,
            "Both hosts offer RDMA, and the VM's memory has the hard limit that libvirt wants for it.",
        ),
        Some(why) => Finding::warning(code, format!("The memory goes by TCP, and not by RDMA: {why}.")),
    })
}

fn is_asked_for(case: &Case) -> bool {
    case.options.rdma && case.is_live()
}

fn why_not(case: &Case, route: &Route) -> Option<String> {
    if route.control_flow == ControlFlow::Tunnelled {
        return Some("tunnelled it goes through the libvirt daemons".to_owned());
    }
    if !case.domain.memory_has_hard_limit {
        return Some(
            "libvirt wants the VM's memory to have a hard limit for it (virsh memtune --hard-limit)".to_owned(),
        );
    }
    [&case.source, &case.destination].into_iter().find_map(|Party { config, survey, .. }| match survey.rdma {
        Some(true) => None,
        Some(false) => Some(format!("{} has no network device for it", config.name)),
        None => Some(format!("{} does not say whether it has a network device for it", config.name)),
    })
}
