//! Measures what guests change of their memory, when asked to, and once before a prediction needs it.

use std::sync::Arc;

use model::{Vm, VmId, VmState};

use super::Preflights;
use crate::{
    error::Error,
    hypervisor::{DirtyCurve, HostConnection, HostError},
};

impl Preflights {
    /// Measures what a guest changes of its memory. Later predictions use it. Returns what it changed within the shortest period, in bytes
    /// a second.
    ///
    /// # Errors
    /// `unknown-vm`, `already-migrating`, `wrong-state`, `host-unreachable`, or what the hypervisor says.
    pub(crate) async fn measure(&self, id: VmId) -> Result<u64, Error> {
        let connection = {
            let inventory = self.context.inventory();
            let Vm { name, host, state, migration, .. } =
                inventory.vm(id).ok_or_else(|| HostError::unknown_vm(&id.to_string()))?;
            if let Some(open) = *migration {
                return Err(Error::AlreadyMigrating { vm: name.clone(), open });
            }
            let connection = inventory.connection(host)?;
            if !state.is_active() {
                return Err(Error::NothingToMeasure { vm: name.clone(), state: *state });
            }
            connection
        };
        Ok(self.curve_of(id, &*connection).await?.rate_bytes_s())
    }

    /// What a guest changes of its memory, when it was last measured.
    pub(crate) fn curve(&self, vm: VmId) -> Option<Arc<DirtyCurve>> {
        self.recent.curve(vm)
    }

    /// Whoever asks while it is being measured gets the same answer.
    async fn curve_of(&self, vm: VmId, connection: &dyn HostConnection) -> Result<Arc<DirtyCurve>, HostError> {
        let measurement = self.recent.measurement(vm);
        let measure = async || {
            let curve = connection.dirty_curve(vm).await?;
            if self.context.inventory().open_migration(vm).is_some() {
                // It may have been slowed.
                return Ok(Arc::new(curve));
            }
            Ok(self.recent.measured(vm, curve))
        };
        measurement.get_or_init(measure).await.clone()
    }

    /// Measures a guest that runs and was not measured lately, in the background and once, so that the next look has it. Not while its host
    /// moves VMs: what it measured then would not be what the guest does.
    pub(super) fn measure_unasked(self: &Arc<Self>, vm: &Vm) {
        let connection = {
            let inventory = self.context.inventory();
            let moves = inventory.vms().any(|other| other.host == vm.host && other.migration.is_some());
            match inventory.connection(&vm.host) {
                Ok(connection) if vm.state == VmState::Running && !moves => connection,
                _ => return,
            }
        };
        let (id, host) = (vm.id, vm.host.clone());
        let Some(turn) = self.recent.turn(id, &host) else { return };
        let preflights = Arc::clone(self);
        self.context.tasks().spawn(async move {
            if let Err(error) = preflights.curve_of(id, &*connection).await {
                tracing::info!(vm = %id, %host, %error, "what the guest writes could not be measured");
            }
            drop(turn);
        });
    }
}
