//! Who drives a simulated migration: the source's daemon, if the destination lets it in, or the console.

use model::{ControlFlow, HostName};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Sim, World};
use crate::hypervisor::{HostError, HostErrorKind, HostEvent, MigrationPlan};

/// The console's part in a migration. Direct, hosts undo what they can as soon as it is gone; peer-to-peer they do not need it.
#[derive(Clone, Default)]
pub(super) struct Driver(CancellationToken);

impl Driver {
    /// What is dropped when the console dies or loses the migration; none if the migration does not depend on it.
    pub(super) fn hold(&self, plan: &MigrationPlan) -> Option<DropGuard> {
        (plan.control_flow == ControlFlow::Direct).then(|| self.0.clone().drop_guard())
    }

    pub(super) fn is_gone(&self) -> bool {
        self.0.is_cancelled()
    }
}

impl Sim {
    /// From now on a host lets no other host's daemon log in, or all of them.
    pub fn refuse_peers(&self, host: &HostName, refuse: bool) {
        let mut world = self.world();
        match refuse {
            true => world.refusing_peers.insert(host.clone()),
            false => world.refusing_peers.remove(host),
        };
    }
}

impl World {
    /// Whether the source's daemon may log in at the destination, where that is who drives.
    pub(super) fn let_peer_in(&self, plan: &MigrationPlan) -> Result<(), HostError> {
        let there = &plan.destination.name;
        if plan.control_flow == ControlFlow::Direct || !self.refusing_peers.contains(there) {
            return Ok(());
        }
        let sentence = format!("The source could not log in on {there} (simulated).");
        Err(HostError::new(HostErrorKind::PeerLogin, sentence).with_details("Permission denied (publickey,password)."))
    }

    /// The driver is gone after the memory was sent: the source has paused the VM and learns no more. The destination throws away
    /// what it has received, unless it was told that all was well.
    pub(super) fn abandon(&mut self, source: &HostName, plan: &MigrationPlan) {
        let host = self.host(source);
        host.jobs.remove(&plan.vm);
        host.change(plan.vm, |copy| (copy.outgoing, copy.abandoned) = (false, copy.outgoing));
        self.throw_away(plan);
    }

    pub(super) fn throw_away(&mut self, plan: &MigrationPlan) {
        let destination = self.host(&plan.destination.name);
        destination.copies.retain(|vm, copy| *vm != plan.vm || !copy.incoming);
        destination.tell(&HostEvent::Changed(plan.vm));
    }
}
