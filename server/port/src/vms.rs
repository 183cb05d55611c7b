//! VMs over all hosts.

use async_trait::async_trait;
use model::{HostName, Problem, Scope, Snapshot, UsagePoint, Vm, VmAction, VmDetails, VmId};

use crate::Principal;

/// VMs over all hosts.
#[async_trait]
pub trait Vms: Send + Sync {
    /// What is in a scope, from memory: costs no libvirt call. Without one it is everything: hosts, VMs, the migrations that have not ended
    /// and the latest that have.
    fn snapshot(&self, who: &Principal, scope: Option<Scope>) -> Result<Snapshot, Problem>;

    /// What a search for VMs that is being typed could become, each as the whole search: fields, then hosts and tags.
    fn completions(&self, who: &Principal, typed: &str) -> Result<Vec<String>, Problem>;

    /// The VM of this name, as its host says just now; with `host` only the one there.
    ///
    /// # Errors
    /// `unknown-vm`, `unknown-host`, and `ambiguous-name` with the hosts when several different VMs have the name.
    async fn look(&self, who: &Principal, name: &str, host: Option<&HostName>) -> Result<Vm, Problem>;

    /// The VM of this name, for something that is to be done to it; with `host` only the one there.
    ///
    /// # Errors
    /// Those of [`Self::look`], and `uuid-twin` if another VM with its UUID could be taken for it.
    fn find(&self, who: &Principal, name: &str, host: Option<&HostName>) -> Result<Vm, Problem>;

    /// The VM with this id.
    ///
    /// # Errors
    /// `unknown-vm`.
    fn vm(&self, who: &Principal, id: VmId) -> Result<Vm, Problem>;

    /// What a VM's host says of it just now. An agent in its guest is waited for no longer than a second.
    ///
    /// # Errors
    /// `unknown-vm`, `host-unreachable`, `timed-out`, `hypervisor`.
    async fn details(&self, who: &Principal, id: VmId) -> Result<VmDetails, Problem>;

    /// A VM's definition as libvirt shows it, the live one if it runs: XML, without passwords.
    ///
    /// # Errors
    /// Those of [`Self::details`]; `wrong-state` while a migration brings it.
    async fn definition(&self, who: &Principal, id: VmId) -> Result<String, Problem>;

    /// What a VM used within the last hour, oldest first. Figures are taken while they are asked for, and for a minute longer, from all
    /// VMs of its host.
    ///
    /// # Errors
    /// `unknown-vm`.
    fn usage(&self, who: &Principal, id: VmId) -> Result<Vec<UsagePoint>, Problem>;

    /// Starts, stops, pauses or resumes a VM where it is: on `host`, if that is named.
    ///
    /// # Errors
    /// `wrong-state` where it makes no sense, or the VM is shown on another host by now, `already-migrating`, `host-unreachable`, `hypervisor`.
    async fn act(&self, who: &Principal, vm: VmId, host: Option<&HostName>, action: VmAction) -> Result<(), Problem>;
}
