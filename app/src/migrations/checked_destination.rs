//! A destination as the migrate form knows it: what was asked, and what the preflight found.

use model::{
    Code, DestinationReport, DiskPlan, FindingCode, HostName, MigrationRequest, Policy, PolicyDefaults, Preflight,
    Severity, Treatment, Vm, text,
};
use serde::{Deserialize, Serialize};

/// One host as a destination.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckedDestination {
    /// What the preflight was asked about.
    pub request: MigrationRequest,
    /// What it found.
    pub report: DestinationReport,
}

impl CheckedDestination {
    /// The host.
    pub fn name(&self) -> &HostName {
        &self.request.destination
    }

    /// What was found, where the hosts answered.
    pub fn preflight(&self) -> Option<&Preflight> {
        self.report.preflight.as_ref().ok()
    }

    /// Whether nothing that is known would make the migration fail.
    pub fn is_possible(&self) -> bool {
        self.preflight().is_some_and(Preflight::is_possible)
    }

    /// Whether it is possible, or may become so by a field of the form.
    pub fn can_be_chosen(&self) -> bool {
        match &self.report.preflight {
            Ok(preflight) => preflight.of(Severity::Blocker).all(|blocker| can_be_helped(blocker.code, preflight)),
            Err(problem) => problem.code == Code::InvalidInput,
        }
    }

    /// What exactly will be done, in a sentence; or what stands in the way.
    pub fn plan(&self, vm: &Vm) -> String {
        match &self.report.preflight {
            Ok(preflight) => match preflight.of(Severity::Blocker).next() {
                Some(blocker) => blocker.text.clone(),
                None => text::plan(vm, self.name(), &self.request.options, &preflight.disks),
            },
            Err(problem) => problem.sentence.clone(),
        }
    }

    /// Whether ejecting a medium would help.
    pub fn offers_ejection(&self) -> bool {
        self.has(FindingCode::Medium) || self.request.options.eject_media
    }

    /// Whether another name would help.
    pub fn offers_new_name(&self) -> bool {
        self.has(FindingCode::NameTaken) || self.request.options.new_name.is_some()
    }

    /// Whether there will be old images to remove.
    pub fn offers_removal(&self) -> bool {
        self.preflight().is_some_and(|preflight| preflight.copied_bytes() > 0)
            || self.request.options.remove_source_disks
    }

    /// Whether a running VM may get there by post-copy.
    pub fn allows_post_copy(&self) -> bool {
        self.preflight().is_some_and(|preflight| preflight.control_flow.allows_post_copy())
            && !self.request.options.rdma
    }

    /// How long each policy would try to get there before it gives up, in s, in the order of [`Policy::ALL`].
    pub fn budgets_s(&self, vm: &Vm, defaults: PolicyDefaults) -> Vec<u64> {
        let chosen = self.request.options.budget_s.map(u64::from);
        Policy::ALL.iter().map(|policy| chosen.unwrap_or_else(|| defaults.budget_s(*policy, vm.memory_bytes))).collect()
    }

    fn has(&self, code: FindingCode) -> bool {
        let is_open = |preflight: &Preflight| {
            preflight.findings.iter().any(|found| found.code == code && found.severity != Severity::Ok)
        };
        self.preflight().is_some_and(is_open)
    }
}

/// Whether the form has a field that may resolve it.
fn can_be_helped(code: FindingCode, preflight: &Preflight) -> bool {
    let has_choice = |disk: &DiskPlan| match &disk.treatment {
        Treatment::Copy { other_pools, .. } => !other_pools.is_empty(),
        Treatment::Shared { .. } | Treatment::Stuck => false,
    };
    match code {
        FindingCode::NameTaken | FindingCode::Medium => true,
        FindingCode::Pool | FindingCode::DiskSpace | FindingCode::DiskExists => preflight.disks.iter().any(has_choice),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{ControlFlow, Finding, VmId, examples};
    use uuid::Uuid;

    fn checked(findings: Vec<Finding>) -> CheckedDestination {
        let destination: HostName = "beta".parse().unwrap();
        let preflight = Preflight {
            destination: destination.clone(),
            findings,
            control_flow: ControlFlow::PeerToPeer,
            encrypted: false,
            disks: Vec::new(),
            prediction: None,
        };
        let request = MigrationRequest::plain(VmId(Uuid::from_u128(1)), destination);
        let report = DestinationReport { host: examples::host("beta"), preflight: Ok(preflight) };
        CheckedDestination { request, report }
    }

    #[test]
    fn what_stands_in_the_way_may_be_helped_by_the_form() {
        for (code, can_be_chosen) in [(FindingCode::NameTaken, true), (FindingCode::Network, false)] {
            let checked = checked(vec![Finding::blocker(code, "So it would fail.")]);
            assert!(!checked.is_possible());
            assert_eq!(checked.can_be_chosen(), can_be_chosen);
            assert_eq!(checked.plan(&examples::vm(1, "web", "alpha")), "So it would fail.");
        }
    }

    #[test]
    fn a_risk_can_be_chosen() {
        let checked = checked(vec![Finding::warning(FindingCode::Nvram, "The variables stay behind.").needs_consent()]);
        assert!(checked.is_possible() && checked.can_be_chosen());
    }
}
