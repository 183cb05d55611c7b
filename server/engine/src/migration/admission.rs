//! Admission: what is refused before anything begins, within 10 s and without having changed anything.

use model::{Finding, FindingCode, MigrationRequest, Mode, Preflight, Severity, Vm};

#[cfg(any(test, feature = "unchecked"))]
use crate::{context::Context, hypervisor::HostError};
use crate::{
    error::Error,
    preflight::{self, Gathered, PreflightInput, PreflightRequest, Preflights},
};

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
pub(super) async fn admit(preflights: &Preflights, request: &MigrationRequest) -> Result<Accepted, Error> {
    match preflights.gather(preflight_request(request)).await? {
        Gathered::Refused(refusal) => Err(refusal.into()),
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
) -> Result<Accepted, Error> {
    match preflights.gather(preflight_request(request)).await? {
        Gathered::Input(input) => Ok(accepted(*input)),
        Gathered::Refused(refusal) => {
            let vm = context
                .inventory()
                .vm(request.vm)
                .ok_or_else(|| HostError::unknown_vm(&request.vm.to_string()))?
                .clone();
            let mode = preflight_request(request).mode_of(&vm);
            Ok(Accepted { vm, mode, preflight: preflight::refused(&request.destination, &refusal) })
        }
    }
}

/// A migration is never admitted by what was said before it was asked for.
fn preflight_request(request: &MigrationRequest) -> PreflightRequest<'_> {
    let MigrationRequest { vm, destination, mode, options, .. } = request;
    PreflightRequest { vm: *vm, destination, mode: *mode, options, may_share: false }
}

fn accepted(input: PreflightInput) -> Accepted {
    let preflight = preflight::conclude(&input);
    Accepted { vm: input.vm, mode: input.mode, preflight }
}

/// Blockers refuse, and so do risks that the request does not accept.
pub(crate) fn check_consent(preflight: &Preflight, accepted: &[FindingCode]) -> Result<(), Error> {
    let asked = |finding: &&Finding| finding.consent && !accepted.contains(&finding.code);
    let asked: Vec<Finding> = preflight.findings.iter().filter(asked).cloned().collect();
    let blockers: Vec<Finding> = preflight.of(Severity::Blocker).cloned().collect();
    match (&blockers[..], &asked[..]) {
        ([], []) => Ok(()),
        ([], _) => Err(Error::NeedsConsent(asked)),
        _ => Err(Error::Blocked([blockers, asked].concat())),
    }
}
