//! Guests that sleep (S3) where a migration has brought them: libvirt says that they run.
//!
//! libvirt lets every VM run that arrives, and says so, while QEMU keeps it suspended (seen with libvirt 11.3 and QEMU 10.0). To ask QEMU
//! itself would taint the domain. So what counts is what the source said, until the guest is woken up or the copy's state shows
//! otherwise.

use model::{HostName, Migration, Phase, VmId, VmState};

use super::Inventory;
use crate::hypervisor::{CopyFacts, StateReason};

impl Inventory {
    /// Whether the guest of a copy sleeps; none if there is no copy there, or one that is switching over.
    pub(crate) fn sleeps(&self, host: &HostName, vm: VmId) -> Option<bool> {
        let copy = self.copy(host, vm).filter(|copy| !copy.outgoing && !copy.incoming)?;
        Some(self.shown_state(host, copy) == VmState::Suspended)
    }

    /// What a copy does, by what libvirt says and by what is known of its guest.
    pub(super) fn shown_state(&self, host: &HostName, copy: &CopyFacts) -> VmState {
        let arrived = is_taken_for_running(copy) && self.was_brought_asleep(host, copy.vm);
        if arrived { VmState::Suspended } else { copy.state }
    }

    /// Whether the guest that this migration has moved while it slept still sleeps, as far as is known.
    pub(crate) fn is_still_asleep(&self, migration: &Migration) -> bool {
        let Migration { id, vm, destination, .. } = migration;
        let is_latest = self.latest_move(*vm, destination).is_some_and(|latest| latest.id == *id && latest.asleep);
        let Some(entry) = self.hosts.get(destination) else { return false };
        is_latest
            && match entry.copies.get(vm) {
                Some(copy) => copy.state.is_active() && (copy.state != VmState::Running || is_taken_for_running(copy)),
                None => !entry.link.is_connected(),
            }
    }

    /// The guest was woken up on this host.
    pub(crate) fn woke_up(&mut self, host: &HostName, vm: VmId) {
        let latest = self.latest_move(vm, host).filter(|latest| latest.asleep && latest.destination == *host);
        let Some(latest) = latest else { return };
        let awake = Migration { asleep: false, ..latest.clone() };
        self.put_migration(awake);
        self.publish([vm]);
    }

    fn was_brought_asleep(&self, host: &HostName, vm: VmId) -> bool {
        self.latest_move(vm, host).is_some_and(|latest| latest.asleep && latest.destination == *host)
    }

    /// The VM's latest migration that says something of its copy on this host: no one after which it is known to be where it was, and none
    /// that is under way to another host. Ids grow with time.
    fn latest_move(&self, vm: VmId, host: &HostName) -> Option<&Migration> {
        let counts = |migration: &Migration| match migration.phase {
            Phase::Failed | Phase::Cancelled | Phase::MovedElsewhere => false,
            phase => phase.has_ended() || migration.destination == *host,
        };
        self.migrations.values().rev().find(|migration| migration.vm == vm && counts(migration))
    }
}

/// Whether libvirt says that it runs because it has let it run, not because it has seen it wake up.
fn is_taken_for_running(copy: &CopyFacts) -> bool {
    copy.state == VmState::Running && matches!(copy.reason, StateReason::Migrated | StateReason::Unpaused)
}
