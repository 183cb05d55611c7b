//! Hosts at run time.

use model::{Host, HostDetails, HostName, HostOrigin, HostTest};

use super::Engine;
use crate::{
    error::Error,
    hosts::{Attempt, HostCredentials},
    hypervisor::{Address, HostConfig, HostError},
};

impl Engine {
    /// The registered host of this name or address.
    ///
    /// # Errors
    /// `unknown-host`; those of [`Engine::find_host`].
    pub fn host(&self, name_or_address: &str) -> Result<HostName, Error> {
        let inventory = self.context.inventory();
        let found = inventory.find_host(name_or_address)?.map(|entry| entry.config.name.clone());
        found.ok_or_else(|| HostError::unknown_host_beside(name_or_address, &inventory.registered()).into())
    }

    /// The same, or none if none has this address.
    ///
    /// # Errors
    /// `same-host` for this machine's own addresses; `invalid-input` for what is no address.
    pub fn find_host(&self, name_or_address: &str) -> Result<Option<HostName>, Error> {
        let inventory = self.context.inventory();
        Ok(inventory.find_host(name_or_address)?.map(|entry| entry.config.name.clone()))
    }

    /// The registered hosts, and those that are there for a migration only, by name. Without passwords.
    pub fn registered(&self) -> Vec<(HostConfig, HostOrigin)> {
        self.context.inventory().hosts().map(|entry| (entry.config.clone(), entry.origin)).collect()
    }

    /// A host as it is now, if the console has one of this name.
    pub fn shown_host(&self, name: &HostName) -> Option<Host> {
        self.context.inventory().shown_host(name).cloned()
    }

    /// What a host says of itself just now, and what the console knows of it.
    ///
    /// # Errors
    /// `unknown-host`.
    pub async fn host_details(&self, name: &HostName) -> Result<HostDetails, Error> {
        self.host_details.of(name).await
    }

    /// Connects to a host that need not be registered, once, and says what it is. A password that was typed for the same account of a
    /// registered one counts. Changes nothing but the known hosts, if a fingerprint was confirmed.
    ///
    /// # Errors
    /// `invalid-input`; why it can't be reached.
    pub async fn test_host(&self, host: &HostConfig, credentials: &HostCredentials) -> Result<HostTest, Error> {
        self.hosts.test(host, credentials).await
    }

    /// Registers a host that answers within 10 s. A password that was typed is kept for as long as the credentials say.
    ///
    /// # Errors
    /// `invalid-input`, `host-exists`, `host-in-use`; why it can't be reached.
    pub async fn add_host(&self, host: HostConfig, credentials: HostCredentials) -> Result<(), Error> {
        self.hosts.add(host, credentials).await
    }

    /// Replaces how a host is reached, if it answers with the new settings; its name may change, too. A password that was typed
    /// for the same account stays.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`, `host-exists`, `invalid-input`; why it can't be reached.
    pub async fn change_host(
        &self,
        name: &HostName,
        host: HostConfig,
        credentials: HostCredentials,
    ) -> Result<(), Error> {
        self.hosts.change(name, host, credentials).await
    }

    /// Forgets a host, and says how it was reached. Its VMs stay what and where they are.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`.
    pub async fn remove_host(&self, name: &HostName) -> Result<HostConfig, Error> {
        self.hosts.remove(name).await
    }

    /// Logs in at a host: it is connected from then on, for as long as the credentials say. With nothing typed it is tried once
    /// more as it is.
    ///
    /// # Errors
    /// `unknown-host`; `invalid-input` if something was typed and the host is not reached by ssh; why it can't be reached.
    pub async fn log_in(&self, name: &HostName, credentials: HostCredentials) -> Result<(), Error> {
        self.hosts.log_in(name, credentials).await
    }

    /// To be called before a password is sent to a host by anything but the engine. It counts as wrong, within the engine's limit
    /// for that host, unless [`Attempt::was_not_wrong`] is called.
    ///
    /// # Errors
    /// `throttled`
    pub async fn begin_attempt(&self, address: &Address) -> Result<Attempt, Error> {
        self.hosts.attempts().begin(&address.to_string()).await
    }
}
