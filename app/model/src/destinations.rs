//! What is known of the hosts that a VM could go to, and which of them is recommended.

use serde::{Deserialize, Serialize};

use crate::{Host, HostName, Preflight, Problem, Vm};

/// What is known of one host as a destination of one VM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DestinationReport {
    /// The host as the console sees it now.
    pub host: Host,
    /// What the preflight found, or why there is none.
    pub preflight: Result<Preflight, Problem>,
}

impl DestinationReport {
    /// The host's place among all destinations, the best first; a host without a preflight comes last. See [`Preflight::rank`].
    pub fn rank(&self) -> [u64; 6] {
        match &self.preflight {
            Ok(preflight) => {
                preflight.rank(self.host.memory_free_bytes.saturating_sub(self.host.memory_reserved_bytes))
            }
            Err(_) => [u32::MAX.into(); 6],
        }
    }
}

/// The hosts that a VM could go to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Destinations {
    /// The VM.
    pub vm: Vm,
    /// The best destination, if the VM can go anywhere.
    pub recommended: Option<HostName>,
    /// What is known of each, the best first; equals by name.
    pub reports: Vec<DestinationReport>,
}

impl Destinations {
    /// Ranks what is known of destinations, and recommends one.
    pub fn ranked(vm: Vm, mut reports: Vec<DestinationReport>) -> Self {
        reports.sort_by_cached_key(|report| (report.rank(), report.host.name.clone()));
        let recommended = recommended(reports.iter().map(|report| (report.rank(), &report.host.name))).cloned();
        Self { vm, recommended, reports }
    }

    /// The preflights, the best destination first.
    ///
    /// # Errors
    /// Why there is none, if that is so of every destination: the VM's own host does not answer, for instance.
    pub fn preflights(&self) -> Result<Vec<&Preflight>, Problem> {
        let preflights: Vec<_> = self.reports.iter().filter_map(|report| report.preflight.as_ref().ok()).collect();
        match self.reports.first() {
            Some(DestinationReport { preflight: Err(problem), .. }) if preflights.is_empty() => Err(problem.clone()),
            _ => Ok(preflights),
        }
    }
}

/// The destination to recommend: the one with the lowest rank, of equals the first by name, and none that can't work.
pub fn recommended<'a>(ranked: impl IntoIterator<Item = ([u64; 6], &'a HostName)>) -> Option<&'a HostName> {
    let possible = ranked.into_iter().filter(|(rank, _)| rank[0] == 0);
    possible.min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Code, ControlFlow, Finding, FindingCode,
        examples::{host, vm},
    };

    fn report(name: &str, findings: Vec<Finding>) -> DestinationReport {
        let preflight = Preflight {
            destination: name.parse().unwrap(),
            findings,
            control_flow: ControlFlow::PeerToPeer,
            encrypted: false,
            disks: Vec::new(),
            prediction: None,
        };
        DestinationReport { host: host(name), preflight: Ok(preflight) }
    }

    fn silent(name: &str) -> DestinationReport {
        let problem = Problem::new(Code::HostUnreachable, "alpha does not answer.");
        DestinationReport { host: host(name), preflight: Err(problem) }
    }

    fn blocked(name: &str) -> DestinationReport {
        report(name, vec![Finding::blocker(FindingCode::Network, "")])
    }

    fn ranked(reports: Vec<DestinationReport>) -> (Option<String>, Vec<String>) {
        let Destinations { recommended, reports, .. } = Destinations::ranked(vm(1, "web", "alpha"), reports);
        let names = reports.iter().map(|report| report.host.name.to_string()).collect();
        (recommended.map(|name| name.to_string()), names)
    }

    #[test]
    fn of_equal_destinations_the_first_by_name_is_recommended() {
        let equals = vec![report("gamma", Vec::new()), report("beta", Vec::new())];
        assert_eq!(ranked(equals), (Some("beta".into()), vec!["beta".into(), "gamma".into()]));
    }

    #[test]
    fn what_can_not_work_is_not_recommended() {
        assert_eq!(ranked(vec![blocked("beta"), silent("gamma")]), (None, vec!["beta".into(), "gamma".into()]));
        assert_eq!(ranked(Vec::new()), (None, Vec::new()));
        let warned = report("delta", vec![Finding::warning(FindingCode::Cpu, "")]);
        let (recommended, names) = ranked(vec![silent("beta"), blocked("gamma"), warned]);
        assert_eq!(recommended.as_deref(), Some("delta"));
        assert_eq!(names, ["delta", "gamma", "beta"], "a host without a preflight comes last");
    }

    #[test]
    fn one_host_without_a_preflight_hides_no_other() {
        let web = || vm(1, "web", "alpha");
        let some = Destinations::ranked(web(), vec![silent("beta"), report("gamma", Vec::new())]);
        assert_eq!(some.preflights().unwrap().len(), 1);
        let none = Destinations::ranked(web(), vec![silent("beta"), silent("gamma")]);
        assert_eq!(none.preflights().unwrap_err().code, Code::HostUnreachable);
        assert_eq!(Destinations::ranked(web(), Vec::new()).preflights(), Ok(Vec::new()));
    }

    #[test]
    fn reports_travel_to_the_browser() {
        let sent = Destinations::ranked(vm(1, "web", "alpha"), vec![report("beta", Vec::new()), silent("gamma")]);
        let json = serde_json::to_string(&sent).unwrap();
        assert_eq!(serde_json::from_str::<Destinations>(&json).unwrap(), sent);
    }
}
