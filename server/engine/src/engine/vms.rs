//! VMs over all hosts.

use std::{sync::Arc, time::Duration};

use model::{Code, HostName, Problem, TerminalEvent, TerminalKind, UsagePoint, Vm, VmAction, VmDetails, VmId, VmQuery};
use tokio::{sync::mpsc, time::timeout};

use super::Engine;
use crate::{
    error::Error,
    hosts::refresh_copy,
    hypervisor::{HostConnection, HostError, HostErrorKind, Presence},
    terminal,
};

/// How long a host is waited for that is asked what a VM has now.
const LOOK: Duration = Duration::from_secs(2);

/// A host, and the connection to it.
type Place = (HostName, Arc<dyn HostConnection>);

impl Engine {
    /// The VM of this name; with `host` only the one there.
    ///
    /// # Errors
    /// `unknown-vm`; `unknown-host`; `ambiguous-name` when several different VMs have the name.
    pub fn find(&self, name: &str, host: Option<&HostName>) -> Result<Vm, Error> {
        let inventory = self.context.inventory();
        if let Some(host) = host.filter(|host| inventory.host(host).is_none()) {
            return Err(HostError::unknown_host_beside(host.as_str(), &inventory.registered()).into());
        }
        let all = inventory.vms().flat_map(Vm::each);
        let found: Vec<Vm> = all.filter(|vm| vm.name == name && host.is_none_or(|host| vm.host == *host)).collect();
        match &found[..] {
            [vm] => Ok(vm.clone()),
            [] => Err(HostError::unknown_vm(name).into()),
            _ => {
                let vms = found.iter().map(|vm| (vm.host.clone(), vm.id)).collect();
                Err(Error::AmbiguousName { name: name.to_owned(), vms })
            }
        }
    }

    /// The same, for something that is to be done to the VM: hosts and migrations know it by its UUID only.
    ///
    /// # Errors
    /// Those of [`Self::find`]; `uuid-twin` if another VM with its UUID could be taken for it.
    pub fn find_only(&self, name: &str, host: Option<&HostName>) -> Result<Vm, Error> {
        let vm = self.find(name, host)?;
        match vm.shares_uuid() {
            Some(problem) if vm.is_mistakable() => Err(Error::Known(Box::new(problem))),
            _ => Ok(vm),
        }
    }

    /// A VM as its host says just now. A host that does not answer within [`LOOK`] leaves it as it was last known.
    ///
    /// # Errors
    /// Those of [`Self::find`].
    pub async fn look(&self, name: &str, host: Option<&HostName>) -> Result<Vm, Error> {
        let vm = self.find(name, host)?;
        let connection = self.context.inventory().connection(&vm.host);
        if let Ok(connection) = connection {
            let _ = timeout(LOOK, refresh_copy(&self.context, &vm.host, &*connection, vm.id)).await;
        }
        self.find(name, host)
    }

    /// What a search for VMs that is being typed could become, each as the whole search: fields, then hosts by name, then tags, the most
    /// frequent first.
    pub fn completions(&self, typed: &str) -> Vec<String> {
        self.context.inventory().completions(typed)
    }

    /// The VM with this id, if a host has it.
    pub fn vm(&self, id: VmId) -> Option<Vm> {
        self.context.inventory().vm(id).cloned()
    }

    /// What the VM's host says of it just now.
    ///
    /// # Errors
    /// `unknown-vm`, `host-unreachable`, or what the hypervisor says.
    pub async fn details(&self, id: VmId) -> Result<VmDetails, Error> {
        self.details.of(id).await
    }

    /// The VM's definition as its host shows it, without passwords.
    ///
    /// # Errors
    /// Those of [`Self::details`]; `wrong-state` while a migration brings it.
    pub async fn definition(&self, id: VmId) -> Result<String, Error> {
        self.details.definition(id).await
    }

    /// What the VM used within the last hour, oldest first, as far as it was looked at. Its host is asked from now on, for a minute.
    ///
    /// # Errors
    /// `unknown-vm`.
    pub fn usage(&self, id: VmId) -> Result<Vec<UsagePoint>, Error> {
        let host = self.vm(id).ok_or_else(|| HostError::unknown_vm(&id.to_string()))?.host;
        Ok(self.usage.look(&host, id))
    }

    /// Starts, stops, pauses, resumes or wakes up a VM where it is: the copy that it is listed by. `on` is the host that this was asked of;
    /// of a VM that several hosts run another copy may be listed by now.
    ///
    /// # Errors
    /// `unknown-vm`, `already-migrating`, `wrong-state` (also where it is listed on another host), `uuid-twin`, `host-unreachable`, or what
    /// the hypervisor says.
    pub async fn act(&self, id: VmId, on: Option<&HostName>, action: VmAction) -> Result<(), Error> {
        let (host, connection) = self.place_to_act(id, on, action)?;
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

    /// Whether [`Self::act`] would be tried, as far as the console can tell without asking a host.
    ///
    /// # Errors
    /// Those of [`Self::act`] that need no host.
    pub fn may_act(&self, id: VmId, on: Option<&HostName>, action: VmAction) -> Result<(), Error> {
        self.place_to_act(id, on, action).map(drop)
    }

    /// Where an action on a VM is to be done.
    fn place_to_act(&self, id: VmId, on: Option<&HostName>, action: VmAction) -> Result<Place, Error> {
        let inventory = self.context.inventory();
        let vm = inventory.vm(id).ok_or_else(|| HostError::unknown_vm(&id.to_string()))?;
        is_listed_on(vm, on)?;
        is_possible(vm, action)?;
        let mut hosts = [&vm.host].into_iter().chain(vm.other_copies.iter().map(|copy| &copy.host));
        if let Some(half) = hosts.find(|host| Presence::of(inventory.copy(host, id)) == Presence::Half) {
            return Err(Error::Known(Box::new(halved(&vm.name, half))));
        }
        if let Some(open) = inventory.open_migration(id) {
            return Err(Error::AlreadyMigrating { vm: vm.name.clone(), open });
        }
        Ok((vm.host.clone(), inventory.connection(&vm.host)?))
    }

    /// The VM with this id, if it is still listed on this host.
    ///
    /// # Errors
    /// `unknown-vm`, `wrong-state`.
    pub fn vm_on(&self, id: VmId, on: &HostName) -> Result<Vm, Error> {
        let inventory = self.context.inventory();
        let vm = inventory.vm(id).ok_or_else(|| HostError::unknown_vm(&id.to_string()))?;
        is_listed_on(vm, Some(on))?;
        Ok(vm.clone())
    }

    /// All VMs that a query finds, in its order.
    pub fn matching(&self, query: &VmQuery) -> Vec<Vm> {
        self.context.inventory().matching(query)
    }

    /// Opens the serial console or the screen of a VM, which follows it when it moves: what is typed goes into the sender. It ends when
    /// the receiver is dropped, or by itself after [`model::TerminalStatus::Ended`]. A screen also ends, without that, when its VM has left
    /// the host: its protocol begins with a greeting, so that it has to be opened anew.
    ///
    /// # Errors
    /// `unknown-vm`, `wrong-state` of a VM that is off.
    pub fn open_terminal(
        &self,
        vm: VmId,
        kind: TerminalKind,
        take_over: bool,
    ) -> Result<(mpsc::Sender<Vec<u8>>, mpsc::Receiver<TerminalEvent>), Error> {
        Ok(terminal::open(&self.context, vm, kind, take_over)?)
    }

    /// Measures what a guest writes to its memory, in bytes a second; later predictions use it.
    ///
    /// # Errors
    /// `unknown-vm`, `wrong-state`, `host-unreachable`, or what the hypervisor says.
    pub async fn measure(&self, vm: VmId) -> Result<u64, Error> {
        self.preflights.measure(vm).await
    }
}

/// Why nothing is done to a VM whose post-copy has broken off: each host has a part of its memory, and without either it is lost.
fn halved(vm: &str, host: &HostName) -> Problem {
    let sentence =
        format!("Post-copy of {vm} broke off: {host} has only a part of its memory, another host has the rest.");
    Problem::new(Code::WrongState, sentence).with_fix(
        "Turn neither off. Restore the network between the hosts, and recover the migration: its page says how.",
    )
}

/// Whether a VM is listed on the host that something was asked of.
fn is_listed_on(vm: &Vm, on: Option<&HostName>) -> Result<(), Error> {
    match on.filter(|on| **on != vm.host) {
        Some(on) => Err(Error::OnAnotherHost { vm: vm.name.clone(), asked: on.clone(), now: vm.host.clone() }),
        None => Ok(()),
    }
}

/// Whether an action makes sense now.
fn is_possible(vm: &Vm, action: VmAction) -> Result<(), Error> {
    if let Some(open) = vm.migration {
        return Err(Error::AlreadyMigrating { vm: vm.name.clone(), open });
    }
    if let Some(problem) = vm.shares_uuid().filter(|_| vm.is_mistakable()) {
        return Err(Error::Known(Box::new(problem)));
    }
    if !action.is_possible(vm.state) {
        return Err(Error::NotPossible { vm: vm.name.clone(), state: vm.state, action });
    }
    Ok(())
}
