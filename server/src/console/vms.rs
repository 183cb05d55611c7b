//! VMs over all hosts.

use async_trait::async_trait;
use model::{Code, HostName, Problem, Scope, Snapshot, UsagePoint, Vm, VmAction, VmDetails, VmId};
use port::{Principal, Vms};
use store::Action;

use super::ServerConsole;

#[async_trait]
impl Vms for ServerConsole {
    fn snapshot(&self, _who: &Principal, scope: Option<Scope>) -> Result<Snapshot, Problem> {
        Ok(self.engine.snapshot(scope))
    }

    fn completions(&self, _who: &Principal, typed: &str) -> Result<Vec<String>, Problem> {
        Ok(self.engine.completions(typed))
    }

    async fn look(&self, _who: &Principal, name: &str, host: Option<&HostName>) -> Result<Vm, Problem> {
        Ok(self.engine.look(name, host).await?)
    }

    fn find(&self, _who: &Principal, name: &str, host: Option<&HostName>) -> Result<Vm, Problem> {
        Ok(self.engine.find_only(name, host)?)
    }

    fn vm(&self, _who: &Principal, id: VmId) -> Result<Vm, Problem> {
        self.known_vm(id)
    }

    async fn details(&self, _who: &Principal, id: VmId) -> Result<VmDetails, Problem> {
        Ok(self.engine.details(id).await?)
    }

    async fn definition(&self, _who: &Principal, id: VmId) -> Result<String, Problem> {
        Ok(self.engine.definition(id).await?)
    }

    fn usage(&self, _who: &Principal, id: VmId) -> Result<Vec<UsagePoint>, Problem> {
        Ok(self.engine.usage(id)?)
    }

    async fn act(&self, who: &Principal, vm: VmId, host: Option<&HostName>, action: VmAction) -> Result<(), Problem> {
        self.audit(who, Action::VmActed(vm, action)).await?;
        Ok(self.engine.act(vm, host, action).await?)
    }
}

impl ServerConsole {
    /// The VM with this id.
    pub(super) fn known_vm(&self, id: VmId) -> Result<Vm, Problem> {
        self.engine.vm(id).ok_or_else(|| {
            Problem::new(Code::UnknownVm, "No host has this VM any more.").with_fix("Look at the list of VMs again.")
        })
    }
}
