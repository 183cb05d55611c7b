//! VMs over all hosts.

use model::{HostName, Vm, VmAction, VmId};

use super::Engine;
use crate::{
    error::Error,
    hosts::refresh_copy,
    hypervisor::{HostError, HostErrorKind},
};

impl Engine {
    /// The VM of this name; with `host` only the one there.
    ///
    /// # Errors
    /// `unknown-vm`; `ambiguous-name` when several different VMs have the name.
    pub fn find(&self, name: &str, host: Option<&HostName>) -> Result<Vm, Error> {
        let inventory = self.context.inventory();
        let on_host = |vm: &&Vm| host.is_none_or(|host| vm.host == *host);
        let found: Vec<&Vm> = inventory.vms().filter(|vm| vm.name == name).filter(on_host).collect();
        match found[..] {
            [vm] => Ok(vm.clone()),
            [] => Err(HostError::unknown_vm(name).into()),
            _ => {
                let vms = found.iter().map(|vm| (vm.host.clone(), vm.id)).collect();
                Err(Error::AmbiguousName { name: name.to_owned(), vms })
            }
        }
    }

    /// The VM with this id, if a host has it.
    pub fn vm(&self, id: VmId) -> Option<Vm> {
        self.context.inventory().vm(id).cloned()
    }

    /// Starts, stops, pauses, resumes or wakes up a VM where it is.
    ///
    /// # Errors
    /// `unknown-vm`, `already-migrating`, `wrong-state`, `host-unreachable`, or what the hypervisor says.
    pub async fn act(&self, id: VmId, action: VmAction) -> Result<(), Error> {
        let (host, connection) = {
            let inventory = self.context.inventory();
            let vm = inventory.vm(id).ok_or_else(|| HostError::unknown_vm(&id.to_string()))?;
            is_possible(vm, action)?;
            if let Some(open) = inventory.open_migration(id) {
                return Err(Error::AlreadyMigrating { vm: vm.name.clone(), open });
            }
            (vm.host.clone(), inventory.connection(&vm.host)?)
        };
        let done = connection.act(id, action).await;
        let is_awake = match &done {
            Ok(()) => true,
            // It is awake already, and nothing had told so.
            Err(error) => error.kind == HostErrorKind::WrongState,
        };
        if action == VmAction::WakeUp && is_awake {
            self.context.inventory().woke_up(&host, id);
        }
        done?;
        refresh_copy(&self.context, &host, &*connection, id).await;
        Ok(())
    }

    /// Measures what a guest writes to its memory, in bytes a second; later predictions use it.
    ///
    /// # Errors
    /// `unknown-vm`, `wrong-state`, `host-unreachable`, or what the hypervisor says.
    pub async fn measure(&self, vm: VmId) -> Result<u64, Error> {
        self.preflights.measure(vm).await
    }
}

/// Whether an action makes sense now.
fn is_possible(vm: &Vm, action: VmAction) -> Result<(), Error> {
    if let Some(open) = vm.migration {
        return Err(Error::AlreadyMigrating { vm: vm.name.clone(), open });
    }
    if !action.is_possible(vm.state) {
        return Err(Error::NotPossible { vm: vm.name.clone(), state: vm.state, action });
    }
    Ok(())
}
