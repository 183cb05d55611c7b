//! Hosts that come and go while the console runs: registered, changed, removed, or there for one migration only.
//!
//! [`Hosts`] changes the inventory and the store together, and spawns a watcher (`watcher.rs`) for each host, which keeps it
//! connected and the inventory true to it.

mod approach;
mod attempts;
mod destination;
mod login;
mod registration;
mod restore;
mod watcher;

use std::sync::Arc;

use model::{HostName, HostOrigin, HostTest};
use tokio::sync::Mutex;

pub use attempts::Attempt;
use attempts::Attempts;
pub use destination::HostToReach;
pub(crate) use destination::Reached;
pub use login::HostCredentials;
pub(crate) use restore::{add_stored, add_unregistered};
pub(crate) use watcher::refresh_copy;

use crate::{
    context::Context,
    error::Error,
    hypervisor::{HostConfig, Opened},
    inventory::{Inventory, LoginOverride, Watch},
};

/// Registers hosts and watches them.
pub(crate) struct Hosts {
    context: Arc<Context>,
    attempts: Attempts,
    /// Held while hosts are registered, changed or removed, in the store and in the inventory.
    changes: Mutex<()>,
}

impl Hosts {
    pub(crate) fn new(context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self { context, attempts: Attempts::default(), changes: Mutex::default() })
    }

    /// The passwords that were tried lately.
    pub(crate) fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// Spawns a watcher for a host, from a connection on that was just made if there is one.
    pub(crate) fn watch(&self, watch: Watch, opened: Option<Opened>) {
        self.context.tasks().spawn(watcher::watch(Arc::clone(&self.context), watch, opened));
    }

    /// Connects to a host that need not be registered, once, and says what it is. A password that was typed for the same account of a
    /// registered one counts. Changes nothing but the known hosts, if a fingerprint was confirmed.
    ///
    /// # Errors
    /// `invalid-input`; why it can't be reached.
    pub(crate) async fn test(&self, host: &HostConfig, login: &HostCredentials) -> Result<HostTest, Error> {
        let (host, _) = login.first(host, self.context.inventory().host(&host.name))?;
        Ok(self.open_soon(&host).await?.test())
    }

    /// Registers a host that answers within 10 s. A password that was typed is kept for as long as the login says.
    ///
    /// # Errors
    /// `invalid-input`, `host-exists`, `host-in-use`; why it can't be reached.
    pub(crate) async fn add(self: &Arc<Self>, host: HostConfig, login: HostCredentials) -> Result<(), Error> {
        let (config, typed) = login.first(&host, None)?;
        self.context.inventory().is_free(&host, None)?;
        let opened = self.open_soon(&config).await?;
        self.context.tasks().spawn_to_completion(Arc::clone(self).enter(host, typed, opened)).await
    }

    async fn enter(
        self: Arc<Self>,
        host: HostConfig,
        typed: Option<LoginOverride>,
        opened: Opened,
    ) -> Result<(), Error> {
        let _changes = self.changes.lock().await;
        is_new(&self.context.inventory(), &host, &opened, None)?;
        self.context.store().put_host(&host.settings(), None).await?;
        let watch = self.context.inventory().attach(host, HostOrigin::Added, typed, Some(&opened));
        self.watch(watch, Some(opened));
        Ok(())
    }

    /// Replaces how a host is reached, if it answers with the new settings; its name may change, too. A password that was typed
    /// for the same account stays.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`, `host-exists`, `invalid-input`; why it can't be reached.
    pub(crate) async fn change(
        self: &Arc<Self>,
        name: &HostName,
        host: HostConfig,
        login: HostCredentials,
    ) -> Result<(), Error> {
        let (config, typed) = {
            let inventory = self.context.inventory();
            inventory.may_leave(name)?;
            inventory.is_free(&host, Some(name))?;
            login.first(&host, inventory.host(name))?
        };
        let opened = self.open_soon(&config).await?;
        self.context.tasks().spawn_to_completion(Arc::clone(self).exchange(name.clone(), host, typed, opened)).await
    }

    async fn exchange(
        self: Arc<Self>,
        before: HostName,
        host: HostConfig,
        typed: Option<LoginOverride>,
        opened: Opened,
    ) -> Result<(), Error> {
        let _changes = self.changes.lock().await;
        is_new(&self.context.inventory(), &host, &opened, Some(&before))?;
        self.context.inventory().begin_leaving(&before)?;
        if let Err(error) = self.context.store().put_host(&host.settings(), Some(&before)).await {
            self.context.inventory().end_leaving(&before);
            return Err(error.into());
        }
        let watch = self.context.inventory().replace(&before, host, typed, &opened);
        self.context.inventory().peer_logins.forget(&before);
        self.watch(watch, Some(opened));
        Ok(())
    }

    /// Forgets a host, and says how it was reached. Its VMs stay what and where they are.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`.
    pub(crate) async fn remove(self: &Arc<Self>, name: &HostName) -> Result<HostConfig, Error> {
        self.context.tasks().spawn_to_completion(Arc::clone(self).strike_out(name.clone())).await
    }

    async fn strike_out(self: Arc<Self>, name: HostName) -> Result<HostConfig, Error> {
        let _changes = self.changes.lock().await;
        let config = self.context.inventory().begin_leaving(&name)?;
        if let Err(error) = self.context.store().remove_host(&name).await {
            self.context.inventory().end_leaving(&name);
            return Err(error.into());
        }
        self.context.inventory().detach(&name);
        self.context.inventory().peer_logins.forget(&name);
        Ok(config)
    }
}

/// Whether this host may be registered, in the place of `before` if that is given.
fn is_new(inventory: &Inventory, host: &HostConfig, opened: &Opened, before: Option<&HostName>) -> Result<(), Error> {
    inventory.is_free(host, before)?;
    let uuid = opened.facts.uuid;
    let is_same = |name: &&HostName| Some(*name) != before;
    match inventory.with_uuid(uuid).map(|entry| &entry.config.name).filter(is_same) {
        None => Ok(()),
        Some(other) => Err(Error::SameMachine { host: host.name.clone(), registered: other.clone() }),
    }
}
