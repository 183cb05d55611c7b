//! Hosts that come and go while the console runs: registered, changed, removed, or there for one migration only.

mod destination;
mod login;
mod registration;
pub(crate) mod restore;
pub(crate) mod watcher;

use std::sync::Arc;

use model::{Code, HostName, HostOrigin, HostTest, Problem};

use crate::hypervisor::Opened;
use crate::{
    Engine, HostConfig,
    engine::store_failed,
    inventory::{Inventory, TypedLogin},
};
pub use destination::Reached;
pub use login::HostCredentials;
pub(crate) use login::needs_login;

impl Engine {
    /// The registered hosts, and those that are there for a migration only, by name. Without passwords.
    pub fn registered(&self) -> Vec<(HostConfig, HostOrigin)> {
        self.inventory().hosts().map(|entry| (entry.config.clone(), entry.origin)).collect()
    }

    /// Connects to a host that need not be registered, once, and says what it is. A password that was typed for the same account of a
    /// registered one counts. Changes nothing but the known hosts, if a fingerprint was confirmed.
    ///
    /// # Errors
    /// `invalid-input`; why it can't be reached.
    pub async fn test_host(&self, host: &HostConfig, login: &HostCredentials) -> Result<HostTest, Problem> {
        let (host, _) = login.first(host, self.inventory().host(&host.name))?;
        Ok(self.open_soon(&host).await?.test())
    }

    /// Registers a host that answers, within 10 s. A password that was typed is kept for as long as the login says.
    ///
    /// # Errors
    /// `invalid-input`, `host-exists`, `host-in-use`; why it can't be reached.
    pub async fn add_host(self: &Arc<Self>, host: HostConfig, login: HostCredentials) -> Result<(), Problem> {
        let (config, typed) = login.first(&host, None)?;
        self.inventory().is_free(&host, None)?;
        let opened = self.open_soon(&config).await?;
        self.whole(Arc::clone(self).enter(host, typed, opened)).await
    }

    async fn enter(
        self: Arc<Self>,
        host: HostConfig,
        typed: Option<TypedLogin>,
        opened: Opened,
    ) -> Result<(), Problem> {
        let _changes = self.changes.lock().await;
        is_new(&self.inventory(), &host, &opened, None)?;
        self.store.put_host(&host.settings(), None).await.map_err(|error| store_failed(&error))?;
        let watch = self.inventory().attach(host, HostOrigin::Added, typed, Some(&opened));
        self.spawn(watcher::watch(Arc::clone(&self), watch, Some(opened)));
        Ok(())
    }

    /// Replaces how a host is reached, if it answers that way; its name may change, too. A password that was typed for the same account
    /// stays.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`, `host-exists`, `invalid-input`; why it can't be reached.
    pub async fn change_host(
        self: &Arc<Self>,
        name: &HostName,
        host: HostConfig,
        login: HostCredentials,
    ) -> Result<(), Problem> {
        let (config, typed) = {
            let inventory = self.inventory();
            inventory.may_leave(name)?;
            inventory.is_free(&host, Some(name))?;
            login.first(&host, inventory.host(name))?
        };
        let opened = self.open_soon(&config).await?;
        self.whole(Arc::clone(self).exchange(name.clone(), host, typed, opened)).await
    }

    async fn exchange(
        self: Arc<Self>,
        before: HostName,
        host: HostConfig,
        typed: Option<TypedLogin>,
        opened: Opened,
    ) -> Result<(), Problem> {
        let _changes = self.changes.lock().await;
        is_new(&self.inventory(), &host, &opened, Some(&before))?;
        self.inventory().begin_leaving(&before)?;
        if let Err(error) = self.store.put_host(&host.settings(), Some(&before)).await {
            self.inventory().end_leaving(&before);
            return Err(store_failed(&error));
        }
        let watch = self.inventory().replace(&before, host, typed, &opened);
        self.recent.forget_logins(&before);
        self.spawn(watcher::watch(Arc::clone(&self), watch, Some(opened)));
        Ok(())
    }

    /// Forgets a host, and says how it was reached. Its VMs stay what and where they are.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`.
    pub async fn remove_host(self: &Arc<Self>, name: &HostName) -> Result<HostConfig, Problem> {
        self.whole(Arc::clone(self).strike_out(name.clone())).await
    }

    async fn strike_out(self: Arc<Self>, name: HostName) -> Result<HostConfig, Problem> {
        let _changes = self.changes.lock().await;
        let config = self.inventory().begin_leaving(&name)?;
        if let Err(error) = self.store.remove_host(&name).await {
            self.inventory().end_leaving(&name);
            return Err(store_failed(&error));
        }
        self.inventory().detach(&name);
        self.recent.forget_logins(&name);
        Ok(config)
    }
}

/// Whether this host may be registered, in the place of `before` if that is given.
fn is_new(inventory: &Inventory, host: &HostConfig, opened: &Opened, before: Option<&HostName>) -> Result<(), Problem> {
    inventory.is_free(host, before)?;
    let uuid = opened.facts.uuid;
    let is_same = |name: &&HostName| Some(*name) != before;
    match inventory.with_uuid(uuid).map(|entry| &entry.config.name).filter(is_same) {
        None => Ok(()),
        Some(other) => {
            let sentence = format!("{} is the same machine as {other}: they have one host UUID.", host.name);
            let fix = "If they are two machines, one was cloned: set host_uuid in libvirtd.conf on one of them.";
            Err(Problem::new(Code::HostExists, sentence).with_fix(fix))
        }
    }
}
