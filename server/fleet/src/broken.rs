//! A migration whose post-copy broke off, and whose page offers *Recover*.

use engine::{
    Engine,
    testing::{Fault, Load, Sim},
};
use model::{HostName, MigrationOptions, MigrationRequest, Policy, VmId, VmState};

/// It would never end without post-copy, in bytes and bytes a second.
const LOAD: Load = Load { memory_bytes: 256 << 20, dirty_bytes_s: 100 << 20 };
/// Slower than its guest writes, in MiB/s: broken after 4 s, and recovered within 2.
const BANDWIDTH: u32 = 64;

/// A VM for this, which nothing else moves.
pub(crate) struct Broken {
    vm: VmId,
    hosts: [HostName; 2],
}

impl Broken {
    /// Makes the VM on the first host.
    pub(crate) fn new(sim: &Sim, hosts: [HostName; 2]) -> Self {
        Self { vm: sim.add_vm(&hosts[0], "broken-post-copy", VmState::Running, LOAD), hosts }
    }

    /// Begins such a migration unless one is under way or broken: from where the VM runs to the other host.
    pub(crate) async fn keep(&self, sim: &Sim, engine: &Engine) {
        let [source] = sim.runs_on(self.vm).try_into().unwrap_or_else(|_| [self.hosts[0].clone()]);
        if self.hosts.iter().filter(|host| sim.copy(host, self.vm).is_some()).count() != 1 {
            return;
        }
        let Some(destination) = self.hosts.iter().find(|host| **host != source) else { return };
        sim.fail_next(self.vm, Fault::PostCopyBreaks);
        let options = MigrationOptions {
            bandwidth_mib_s: Some(BANDWIDTH),
            policy: Some(Policy::Certain),
            ..MigrationOptions::default()
        };
        let request = MigrationRequest { options, ..MigrationRequest::plain(self.vm, destination.clone()) };
        if let Err(error) = engine.migrate(request.into(), "fleet").await {
            tracing::info!(%error, "the migration that is to break off did not begin");
        }
    }
}
