//! VMs that a simulated host starts when it boots.

use model::{HostName, VmId};

use super::{
    Sim,
    host::{SimConnection, SimHost},
};
use crate::hypervisor::{HostError, HostErrorKind};

impl Sim {
    /// Lets a host start its copy of a VM when it boots.
    pub fn start_with_host(&self, host: &HostName, vm: VmId) {
        self.world().host(host).autostarted.insert(vm);
    }

    /// The hosts that start a VM when they boot.
    pub fn starts_with(&self, vm: VmId) -> Vec<HostName> {
        let starts = |host: &SimHost| host.autostarted.contains(&vm);
        self.world().hosts.iter().filter(|(_, host)| starts(host)).map(|(name, _)| name.clone()).collect()
    }

    /// From now on a host answers questions about that with an error of this kind, or with none.
    pub fn fail_autostart(&self, host: &HostName, kind: Option<HostErrorKind>) {
        self.world().host(host).autostart_fault = kind;
    }
}

impl SimConnection {
    pub(super) fn autostarts(&self, vm: VmId) -> Result<bool, HostError> {
        self.ask(|host| unless_it_fails(host).map(|()| host.autostarted.contains(&vm)))?
    }

    pub(super) fn let_autostart(&self, vm: VmId, enabled: bool) -> Result<(), HostError> {
        self.ask(|host| {
            unless_it_fails(host)?;
            if !host.copies.get(&vm).is_some_and(|copy| copy.persistent) {
                let words = "cannot set autostart for transient domain (simulated)";
                return Err(HostError::new(HostErrorKind::Refused, words));
            }
            match enabled {
                true => host.autostarted.insert(vm),
                false => host.autostarted.remove(&vm),
            };
            Ok(())
        })?
    }
}

fn unless_it_fails(host: &SimHost) -> Result<(), HostError> {
    let fails = |kind| Err(HostError::new(kind, "The host does not do that (simulated)."));
    host.autostart_fault.map_or(Ok(()), fails)
}
