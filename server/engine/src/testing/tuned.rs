//! What a simulated migration was told while it runs.

use model::{HostName, VmId, VmState};

use super::{Sim, host::SimHost};
use crate::hypervisor::{HostError, HostErrorKind, StateReason, Tuning};

/// QEMU's default limit of the pause, in ms.
const PAUSE_LIMIT_MS: u64 = 300;

/// What a job was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuned {
    /// Whether it can switch to post-copy.
    pub(super) post_copy_prepared: bool,
    /// The longest pause, in ms.
    pub(super) pause_limit_ms: u64,
    /// The bandwidth limit in bytes a second, if it was changed.
    pub(super) bandwidth: Option<u64>,
    /// Whether it is to switch to post-copy, or has.
    pub(super) post_copy: bool,
    /// Whether the guest is paused until the end.
    pub(super) guest_paused: bool,
}

impl Default for Tuned {
    fn default() -> Self {
        Self {
            post_copy_prepared: false,
            pause_limit_ms: PAUSE_LIMIT_MS,
            bandwidth: None,
            post_copy: false,
            guest_paused: false,
        }
    }
}

impl Sim {
    /// The pause that the job of a VM away from a host may take, in ms.
    pub fn pause_limit_ms(&self, host: &HostName, vm: VmId) -> Option<u64> {
        self.world().host(host).jobs.get(&vm).map(|job| job.tuned.pause_limit_ms)
    }
}

impl SimHost {
    /// Changes the migration of a VM from here.
    pub(super) fn tune(&mut self, vm: VmId, tuning: Tuning) -> Result<(), HostError> {
        let none = || HostError::new(HostErrorKind::WrongState, "domain is not being migrated (simulated)");
        let job = self.jobs.get_mut(&vm).ok_or_else(none)?;
        match tuning {
            Tuning::Bandwidth { mib_s } => job.tuned.bandwidth = Some(u64::from(mib_s) << 20),
            Tuning::PauseLimit { ms } => job.tuned.pause_limit_ms = ms.into(),
            Tuning::PostCopy if !job.tuned.post_copy_prepared => {
                let words = "post-copy can only be started while outgoing migration is in progress (simulated)";
                return Err(HostError::new(HostErrorKind::NotSupported, words));
            }
            Tuning::PostCopy => job.tuned.post_copy = true,
            Tuning::PauseGuest => {
                job.tuned.guest_paused = true;
                self.change(vm, |copy| (copy.state, copy.reason) = (VmState::Paused, StateReason::User));
            }
        }
        Ok(())
    }
}
