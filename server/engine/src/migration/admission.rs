//! Admission: what is refused before anything begins, within 10 s and without having changed anything.

use model::{Code, Finding, FindingCode, MigrationRequest, Mode, Preflight, Problem, Severity, Vm};

use crate::preflight::{self, Gathered, PreflightInput, PreflightRequest, Preflights};
#[cfg(any(test, feature = "unchecked"))]
use crate::{context::Context, explain::unknown_vm};

/// A request that was checked.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) vm: Vm,
    pub(super) mode: Mode,
    pub(super) preflight: Preflight,
}

/// Checks a request for a migration: first against what is known, then by asking both hosts.
///
/// # Errors
/// See [`model::refusal`]; `blocked` and `needs-consent` with what the preflight found; and `unknown-vm`, `unknown-host`,
/// `invalid-input`, `already-there`, `host-unreachable`.
pub(super) async fn admit(preflights: &Preflights, request: &MigrationRequest) -> Result<Accepted, Problem> {
    match preflights.gather(preflight_request(request)).await? {
        Gathered::Refused(refusal) => {
            let findings = vec![refusal.finding()];
            Err(refusal.problem.with_findings(findings))
        }
        Gathered::Input(input) => {
            let accepted = accepted(*input);
            check_consent(&accepted.preflight, &request.accept)?;
            Ok(accepted)
        }
    }
}

/// The same, but whatever is found is let pass.
#[cfg(any(test, feature = "unchecked"))]
pub(super) async fn admit_unchecked(
    context: &Context,
    preflights: &Preflights,
    request: &MigrationRequest,
) -> Result<Accepted, Problem> {
    match preflights.gather(preflight_request(request)).await? {
        Gathered::Input(input) => Ok(accepted(*input)),
        Gathered::Refused(refusal) => {
            let vm = context.inventory().vm(request.vm).ok_or_else(|| unknown_vm(&request.vm.to_string()))?.clone();
            let mode = preflight_request(request).mode_of(&vm);
            Ok(Accepted { vm, mode, preflight: preflight::refused(&request.destination, &refusal) })
        }
    }
}

/// A migration is never admitted by what was said before it was asked for.
fn preflight_request(request: &MigrationRequest) -> PreflightRequest<'_> {
    let MigrationRequest { vm, destination, mode, options, .. } = request;
    PreflightRequest { vm: *vm, destination, mode: *mode, options, recent_will_do: false }
}

fn accepted(input: PreflightInput) -> Accepted {
    let preflight = preflight::conclude(&input);
    Accepted { vm: input.vm, mode: input.mode, preflight }
}

/// Blockers refuse, and so do risks that the request does not accept.
fn check_consent(preflight: &Preflight, accepted: &[FindingCode]) -> Result<(), Problem> {
    let asked = preflight.findings.iter().filter(|finding| finding.consent && !accepted.contains(&finding.code));
    let blockers: Vec<Finding> = preflight.of(Severity::Blocker).cloned().collect();
    let (code, findings) = match blockers[..] {
        [] => (Code::NeedsConsent, asked.cloned().collect()),
        _ => (Code::Blocked, [blockers, asked.cloned().collect()].concat()),
    };
    let Some(first) = findings.first() else { return Ok(()) };
    let problem = Problem::new(code, &first.text);
    let problem = Problem { fix: first.fix.clone(), details: first.details.clone(), ..problem };
    Err(problem.with_findings(findings))
}
