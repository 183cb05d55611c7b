//! What a look at a destination found, ready to be shown. Words and HTML are made on the server, also for pages that have their
//! WASM: what only the server knows how to say costs a first visit nothing.

#[cfg(feature = "ssr")]
mod disks;
#[cfg(feature = "ssr")]
pub(crate) mod findings;
#[cfg(feature = "ssr")]
mod prediction;

use model::HostName;

use serde::{Deserialize, Serialize};

/// One host as a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// The host.
    pub destination: HostName,
    /// Whether nothing that is known would make the migration fail.
    pub is_possible: bool,
    /// Whether it is possible, or may become so by what can be filled in.
    pub can_be_chosen: bool,
    /// Its place among all of them, the best first.
    pub rank: [u64; 6],
    /// For its card: what speaks for it, or what stands in the way (HTML).
    pub verdict: String,
    /// For who has chosen it: all findings, the disks, how long it will take (HTML, with fields of the form around it).
    pub report: String,
    /// What exactly will be done, in a sentence.
    pub plan: String,
    /// Whether a new name would help.
    pub offers_name: bool,
    /// Whether ejecting a medium would help.
    pub offers_ejection: bool,
    /// Whether there will be old images to remove.
    pub offers_removal: bool,
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use leptos::prelude::*;
    use model::{
        Code, DestinationReport, FindingCode, Host, MigrationOptions, MigrationRequest, Preflight, Problem, Severity,
        Treatment, Vm, text,
    };

    use super::{Outlook, disks, findings, prediction};
    use crate::ui::problem::ProblemText;

    impl Outlook {
        /// Puts a report into words.
        pub fn of(vm: &Vm, request: &MigrationRequest, report: DestinationReport) -> Self {
            match report.preflight {
                Ok(preflight) => Self::new(vm, &report.host, request, &preflight),
                Err(problem) => Self::unknown(&report.host, &request.options, problem),
            }
        }

        /// Puts a preflight into words.
        pub fn new(vm: &Vm, host: &Host, request: &MigrationRequest, preflight: &Preflight) -> Self {
            let options = &request.options;
            let stands =
                |code| preflight.findings.iter().any(|found| found.code == code && found.severity != Severity::Ok);
            let plan = match findings::first_blocker(preflight) {
                None => text::plan(vm, &host.name, options, &preflight.disks),
                Some(blocker) => blocker.text.clone(),
            };
            Self {
                destination: host.name.clone(),
                is_possible: preflight.is_possible(),
                can_be_chosen: preflight.of(Severity::Blocker).all(|blocker| can_be_helped(blocker.code, preflight)),
                rank: preflight.rank(host.memory_free_bytes),
                verdict: findings::verdict(preflight).to_html(),
                report: view! {
                    <input type="hidden" name="looked_at" value=host.name.to_string() />
                    <h3>{format!("What was found on {}", host.name)}</h3>
                    {findings::list(&preflight.findings, &request.accept)}
                    {disks::list(preflight)}
                    {prediction::section(preflight)}
                }
                .to_html(),
                plan,
                offers_name: stands(FindingCode::NameTaken) || options.new_name.is_some(),
                offers_ejection: stands(FindingCode::Medium) || options.eject_media,
                offers_removal: preflight.copied_bytes() > 0 || options.remove_source_disks,
            }
        }

        /// Puts into words why there is no preflight.
        pub fn unknown(host: &Host, options: &MigrationOptions, problem: Problem) -> Self {
            Self {
                destination: host.name.clone(),
                is_possible: false,
                can_be_chosen: problem.code == Code::InvalidInput,
                rank: [u32::MAX.into(); 6],
                verdict: findings::blocked(problem.sentence.clone(), problem.fix.clone()).to_html(),
                plan: problem.sentence.clone(),
                report: view! { <ProblemText problem /> }.to_html(),
                offers_name: options.new_name.is_some(),
                offers_ejection: options.eject_media,
                offers_removal: options.remove_source_disks,
            }
        }
    }

    /// Whether the form has a field against it.
    fn can_be_helped(code: FindingCode, preflight: &Preflight) -> bool {
        match code {
            FindingCode::NameTaken | FindingCode::Medium => true,
            FindingCode::Pool | FindingCode::DiskSpace | FindingCode::DiskExists => {
                preflight.disks.iter().any(|disk| match &disk.treatment {
                    Treatment::Copy { other_pools, .. } => !other_pools.is_empty(),
                    Treatment::Shared { .. } | Treatment::Stuck => false,
                })
            }
            _ => false,
        }
    }
}
