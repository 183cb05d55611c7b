//! The port, implemented with engine, store and auth.

mod attempts;
mod hosts;
mod keys;
mod login;
mod migrations;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use engine::Engine;
use model::{Code, HostName, PasswordChange, Problem, SessionInfo, Snapshot, Update, Vm, VmAction, VmId};
use port::{Account, Principal, Updates, Vms};
use store::{Action, Audit};
use tokio::sync::mpsc;

use crate::auth::{Auth, store_failed};

use attempts::Attempts;
pub use keys::Keys;

/// Everything a person or program can ask for, on real hosts. Every user is an administrator, so that being somebody is enough.
pub struct ServerConsole {
    engine: Arc<Engine>,
    auth: Auth,
    audit: Arc<dyn Audit>,
    keys: Keys,
    allowed: Allowed,
    attempts: Attempts,
}

/// What hosts may be that are registered at run time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowed {
    /// Whether they may be reached by plain TCP.
    pub tcp: bool,
    /// Whether they may be at loopback addresses, as those of a demo are.
    pub loopback: bool,
}

impl ServerConsole {
    /// Puts the parts together.
    pub fn new(engine: Arc<Engine>, auth: Auth, audit: Arc<dyn Audit>, keys: Keys, allowed: Allowed) -> Self {
        Self { engine, auth, audit, keys, allowed, attempts: Attempts::default() }
    }

    fn known_vm(&self, id: VmId) -> Result<Vm, Problem> {
        self.engine.vm(id).ok_or_else(|| {
            Problem::new(Code::UnknownVm, "No host has this VM any more.").with_fix("Look at the list of VMs again.")
        })
    }

    /// Notes what somebody wants, before it is done: nothing happens without an entry, even if the caller leaves meanwhile.
    async fn audit(&self, who: &Principal, action: Action<'_>) -> Result<(), Problem> {
        self.audit.audit(who.user(), action).await.map_err(|error| store_failed(&error))
    }
}

#[async_trait]
impl Vms for ServerConsole {
    fn snapshot(&self, _who: &Principal) -> Result<Snapshot, Problem> {
        Ok(self.engine.snapshot())
    }

    fn find(&self, _who: &Principal, name: &str, host: Option<&HostName>) -> Result<Vm, Problem> {
        self.engine.find(name, host)
    }

    fn vm(&self, _who: &Principal, id: VmId) -> Result<Vm, Problem> {
        self.known_vm(id)
    }

    async fn act(&self, who: &Principal, vm: VmId, action: VmAction) -> Result<(), Problem> {
        self.audit(who, Action::VmActed(vm, action)).await?;
        self.engine.act(vm, action).await
    }
}

impl Updates for ServerConsole {
    fn subscribe(&self, _who: &Principal, since: Option<u64>) -> Result<mpsc::Receiver<Update>, Problem> {
        Ok(self.engine.subscribe(since))
    }
}

#[async_trait]
impl Account for ServerConsole {
    async fn change_password(&self, who: &Principal, change: PasswordChange) -> Result<(), Problem> {
        Ok(self.auth.change_password(who, change).await?)
    }

    async fn sessions(&self, who: &Principal) -> Result<Vec<SessionInfo>, Problem> {
        Ok(self.auth.sessions_of(who).await?)
    }

    async fn end_session(&self, who: &Principal, handle: &str) -> Result<(), Problem> {
        Ok(self.auth.end_session(who, handle).await?)
    }
}
