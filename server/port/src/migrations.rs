//! Migrations.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use model::{
    AdHocDestination, Destination, DestinationReport, Destinations, HostName, Migration, MigrationEvent,
    MigrationFilter, MigrationId, MigrationOptions, MigrationRequest, Predictions, Preflight, Problem, Steering, Step,
    TracePoint, VmId,
};

use crate::Principal;

/// Which VM could go somewhere, and what is wanted of a move.
#[derive(Clone, Debug, PartialEq)]
pub struct DestinationsRequest {
    /// The VM.
    pub vm: VmId,
    /// What is chosen for a move to these hosts; for others nothing is.
    pub options: BTreeMap<HostName, MigrationOptions>,
    /// How long hosts are waited for: a host that answers later is left out. None waits for all of them, which takes at most 10 s.
    pub patience: Option<Duration>,
}

impl DestinationsRequest {
    /// Waits for all hosts, with nothing chosen.
    pub fn plain(vm: VmId) -> Self {
        Self { vm, options: BTreeMap::new(), patience: None }
    }
}

/// Migrations.
#[async_trait]
pub trait Migrations: Send + Sync {
    /// Writes a migration down and begins it; it goes on when the caller leaves. Refuses within 10 s what can be refused.
    ///
    /// A destination that is named by hand is reached, checked and moved to over ssh; the 10 s begin up to 3 s later while other passwords
    /// are tried there. Its password is not kept. The host is registered
    /// only if the request says so; its key stays, and its address and account in the migration's record and in the audit log.
    ///
    /// # Errors
    /// See `model::refusal`; `blocked` and `needs-consent` with the findings; `unknown-vm`, `unknown-host`, `invalid-input`,
    /// `host-unreachable`. Of a destination named by hand also `same-host` for this machine's own addresses; `host-key-unknown` and
    /// `host-key-changed` with the fingerprint seen; `login-refused`, `needs-login`, `not-permitted`, `throttled`, `host-exists`,
    /// `host-in-use`.
    async fn start(&self, who: &Principal, request: MigrationRequest<Destination>) -> Result<Migration, Problem>;

    /// Looks whether a VM can go to a host, without side effects and within 10 s. What is asked again within seconds is answered
    /// from memory, unless something changed. A destination that does not answer is a finding.
    ///
    /// # Errors
    /// `unknown-vm`, `unknown-host`. What else keeps a preflight from being made (`invalid-input`; `host-unreachable`, if the VM's own
    /// host does not answer) is in the report.
    async fn destination(
        &self,
        who: &Principal,
        vm: VmId,
        destination: &HostName,
        options: &MigrationOptions,
    ) -> Result<DestinationReport, Problem>;

    /// Looks at every registered host but the VM's own, all at once, ranks them, and recommends one.
    ///
    /// # Errors
    /// `unknown-vm`.
    async fn destinations(&self, who: &Principal, request: DestinationsRequest) -> Result<Destinations, Problem>;

    /// What a start of a migration to this ad-hoc destination would find now: it is logged in at, and forgotten again.
    ///
    /// # Errors
    /// Those of [`Self::start`] but for what the preflight finds.
    async fn check(
        &self,
        who: &Principal,
        vm: VmId,
        destination: AdHocDestination,
        options: MigrationOptions,
    ) -> Result<Preflight, Problem>;

    /// Measures what a guest writes to its memory, in bytes a second, for a second; later preflights predict with it.
    ///
    /// # Errors
    /// `unknown-vm`, `wrong-state` of a VM that does not run, `host-unreachable`, `hypervisor`.
    async fn measure(&self, who: &Principal, vm: VmId) -> Result<u64, Problem>;

    /// Asks for a migration to be cancelled. It is over when its phase says so.
    ///
    /// # Errors
    /// `unknown-migration`, `already-ended`; `wrong-state` once the VM runs at the destination (post-copy).
    async fn cancel(&self, who: &Principal, id: MigrationId) -> Result<Migration, Problem>;

    /// Tells a migration that runs to go on otherwise. It acts within a second; its `acts` and its history say what was done, and by whom.
    /// A refusal changes nothing.
    ///
    /// # Errors
    /// `unknown-migration`; `already-ended`; `wrong-state` with the reason if that is not possible now, see `model::Steering::refusal`;
    /// `invalid-input` for a number out of range.
    async fn steer(&self, who: &Principal, id: MigrationId, steering: Steering) -> Result<Migration, Problem>;

    /// Takes the step that a migration which needs attention offers. All hosts are asked before: it is done only if it is still the safe
    /// one, and only what was asked for. May take 45 s. After `Recover` the migration goes on, and is over when its phase says so.
    ///
    /// # Errors
    /// `unknown-migration`; `wrong-state` if another step is the safe one now, or none; why the host could not do it.
    async fn take_step(&self, who: &Principal, id: MigrationId, step: Step) -> Result<Migration, Problem>;

    /// One migration and its history, oldest entry first.
    ///
    /// # Errors
    /// `unknown-migration`.
    async fn migration(&self, who: &Principal, id: MigrationId) -> Result<(Migration, Vec<MigrationEvent>), Problem>;

    /// The migrations that a filter lets through, newest first. The database searches. A page that is filtered by phase may be shorter
    /// than `limit` without being the last: a migration that entered another phase after the search is left out.
    ///
    /// # Errors
    /// `invalid-input` if the filter's `limit` is not 1 to 1000.
    async fn migrations(&self, who: &Principal, filter: &MigrationFilter) -> Result<Vec<Migration>, Problem>;

    /// What was measured of a migration over time, oldest first; nothing if nothing was kept.
    ///
    /// # Errors
    /// `unknown-migration`.
    async fn trace(&self, who: &Principal, id: MigrationId) -> Result<Vec<TracePoint>, Problem>;

    /// How good the predictions of the newest migrations were.
    ///
    /// # Errors
    /// When the store fails.
    async fn predictions(&self, who: &Principal) -> Result<Predictions, Problem>;

    /// The registered host of this name or address.
    ///
    /// # Errors
    /// `unknown-host`; `same-host` for loopback and unspecified addresses, unless one is a registered host's; `invalid-input` for what is no
    /// address, such as a numeric-looking one.
    fn host(&self, who: &Principal, name_or_address: &str) -> Result<HostName, Problem>;
}
