//! Hosts come and go, and so do the logins that people type for them.

use std::sync::Arc;

use model::{HostName, HostOrigin, MigrationId, VmId};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Claim, HostEntry, Inventory, LoginOverride, Watch, host::Link};
use crate::{
    error::Error,
    hypervisor::{Address, HostConfig, HostError, Opened},
};

impl Inventory {
    /// Adds a host, and what was asked of it already.
    pub(crate) fn attach(
        &mut self,
        config: HostConfig,
        origin: HostOrigin,
        login: Option<LoginOverride>,
        opened: Option<&Opened>,
    ) -> Watch {
        self.entries += 1;
        let name = config.name.clone();
        let mut entry = HostEntry::new(config, origin, self.entries);
        entry.login = login;
        let watch = entry.watch.clone();
        self.hosts.insert(name, entry);
        match opened {
            Some(opened) => self.connected(&watch, opened),
            None => self.publish_host(&watch.host),
        }
        watch
    }

    /// Takes a host away; VMs that only it had are gone.
    pub(crate) fn detach(&mut self, name: &HostName) {
        let affected = self.take_out(name);
        self.publish(affected);
        self.publish_host(name);
    }

    /// Puts a host in another's place, whose VMs stay listed if they are on the new one.
    pub(crate) fn replace(
        &mut self,
        before: &HostName,
        config: HostConfig,
        login: Option<LoginOverride>,
        opened: &Opened,
    ) -> Watch {
        let affected = self.take_out(before);
        let watch = self.attach(config, HostOrigin::Added, login, Some(opened));
        self.publish(affected);
        self.publish_host(before);
        watch
    }

    fn take_out(&mut self, name: &HostName) -> Vec<VmId> {
        let Some(entry) = self.hosts.remove(name) else { return Vec::new() };
        entry.watch.ended.cancel();
        let affected: Vec<VmId> = entry.copies.into_keys().collect();
        affected.iter().for_each(|vm| self.holders.set(*vm, name, false));
        affected
    }

    /// From now on the host is registered.
    pub(crate) fn register(&mut self, name: &HostName) {
        if let Some(entry) = self.hosts.get_mut(name) {
            entry.origin = HostOrigin::Added;
            self.publish_host(name);
        }
    }

    /// The host of this name or address, if it is registered.
    ///
    /// # Errors
    /// `same-host` for this machine's own addresses; `invalid-input` for a text that is no address.
    pub(crate) fn find_host(&self, text: &str) -> Result<Option<&HostEntry>, Error> {
        let by_name = text.parse::<HostName>().ok().and_then(|name| self.host(&name));
        if by_name.is_some() {
            return Ok(by_name);
        }
        let address: Address = text.parse()?;
        let by_address = self.hosts().find(|entry| {
            let config = &entry.config;
            config.peer_address == address || config.transport.address() == address.to_string()
        });
        if by_address.is_none() && address.is_this_machine() {
            return Err(Error::ThisMachine { address: text.to_owned() });
        }
        Ok(by_address)
    }

    /// The names of the hosts that are not there for a migration only.
    pub(crate) fn registered(&self) -> Vec<&HostName> {
        let registered = self.hosts().filter(|entry| entry.origin != HostOrigin::Temporary);
        registered.map(|entry| &entry.config.name).collect()
    }

    /// Whether a host is there for migrations only.
    pub(crate) fn is_temporary(&self, name: &HostName) -> bool {
        self.hosts.get(name).is_some_and(|entry| entry.origin == HostOrigin::Temporary)
    }

    /// A user has logged in at a host, which is watched over that connection from now on.
    pub(crate) fn logged_in(
        &mut self,
        name: &HostName,
        login: Option<LoginOverride>,
        opened: &Opened,
    ) -> Option<Watch> {
        let entry = self.hosts.get_mut(name)?;
        entry.login = login.or(entry.login.take());
        let watch = entry.watch_anew();
        self.connected(&watch, opened);
        Some(watch)
    }

    /// Whether a host can be registered under its name and at its addresses. A destination may be named by its address, so that an
    /// address can be only one host's, whatever the port.
    ///
    /// # Errors
    /// `host-exists`; `host-in-use` if a host has them that is there for a migration only.
    pub(crate) fn is_free(&self, config: &HostConfig, except: Option<&HostName>) -> Result<(), Error> {
        let other = |entry: &&HostEntry| {
            Some(&entry.config.name) != except
                && (entry.config.name == config.name
                    || addresses(&entry.config).iter().any(|address| addresses(config).contains(address)))
        };
        match self.hosts.values().find(other) {
            None => Ok(()),
            Some(entry) => Err(taken(entry, config)),
        }
    }

    /// The host that has this UUID.
    pub(crate) fn with_uuid(&self, uuid: Uuid) -> Option<&HostEntry> {
        self.hosts.values().find(|entry| entry.facts.as_ref().is_some_and(|facts| facts.uuid == uuid))
    }

    /// The host that is at an address of this one.
    pub(crate) fn at_address_of(&self, config: &HostConfig) -> Option<&HostEntry> {
        let here = config.transport.address();
        self.hosts.values().find(|entry| addresses(&entry.config).contains(&here))
    }

    /// Whether a host may be changed or removed now.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`.
    pub(crate) fn may_leave(&self, name: &HostName) -> Result<(), Error> {
        let entry = self.hosts.get(name).ok_or_else(|| HostError::unknown_host(name.as_str()))?;
        match (entry.origin, self.claim_on(name)) {
            (HostOrigin::Configured, _) => Err(Error::HostConfigured(name.clone())),
            (_, None) if !entry.is_held() => Ok(()),
            (_, open) => Err(Error::HostInUse { host: name.clone(), open }),
        }
    }

    /// Sees that nothing begins with a host any more, because it is about to be changed or removed; says how it was reached.
    ///
    /// # Errors
    /// Those of [`Self::may_leave`].
    pub(crate) fn begin_leaving(&mut self, name: &HostName) -> Result<HostConfig, Error> {
        self.may_leave(name)?;
        let entry = self.hosts.get_mut(name).ok_or_else(|| HostError::unknown_host(name.as_str()))?;
        entry.leaving = true;
        Ok(entry.config.clone())
    }

    /// It stays after all.
    pub(crate) fn end_leaving(&mut self, name: &HostName) {
        if let Some(entry) = self.hosts.get_mut(name) {
            entry.leaving = false;
        }
    }

    /// Whether something may begin with this host.
    ///
    /// # Errors
    /// `unknown-host`
    pub(crate) fn ensure_available(&self, name: &HostName) -> Result<(), HostError> {
        match self.hosts.get(name) {
            Some(entry) if !entry.leaving => Ok(()),
            _ => Err(HostError::unknown_host(name.as_str())),
        }
    }

    /// Keeps a host until what this returns is dropped and [`Self::let_go`] is called.
    ///
    /// # Errors
    /// `unknown-host`
    pub(crate) fn hold(&mut self, name: &HostName) -> Result<Arc<()>, HostError> {
        self.ensure_available(name)?;
        let entry = self.hosts.get_mut(name).ok_or_else(|| HostError::unknown_host(name.as_str()))?;
        let held = entry.held.upgrade().unwrap_or_default();
        entry.held = Arc::downgrade(&held);
        Ok(held)
    }

    /// Forgets what no migration needs: hosts that were there for one only, and passwords that were typed for a while. Returns the
    /// hosts that are to be reached by their own login again.
    pub(crate) fn let_go(&mut self) -> Vec<Watch> {
        let needless = |entry: &&HostEntry| {
            let name = &entry.config.name;
            !entry.is_held() && self.claim_on(name).is_none() && !self.is_cared_for(name)
        };
        let (temporary, others): (Vec<&HostEntry>, Vec<&HostEntry>) =
            self.hosts.values().filter(needless).partition(|entry| entry.origin == HostOrigin::Temporary);
        let is_over = |login: &LoginOverride| login.until.is_some_and(|until| until <= Instant::now());
        let logins = others.into_iter().filter(|entry| entry.login.as_ref().is_some_and(is_over));
        let (gone, logins) = (names(temporary), names(logins));
        for name in &gone {
            tracing::info!(host = %name, "no migration needs this host any more");
            self.detach(name);
        }
        logins.iter().filter_map(|name| self.log_out(name)).collect()
    }

    /// Forgets a login that was typed. Returns a new watch if the host can be reached by its own login.
    fn log_out(&mut self, name: &HostName) -> Option<Watch> {
        let now = self.clock.now_ms();
        let entry = self.hosts.get_mut(name)?;
        entry.login = None;
        let watch = entry.watch_anew();
        let Err(error) = entry.connect_config() else { return Some(watch) };
        // That its key has changed, say, is what people have to know first.
        if !matches!(&entry.link, Link::Unreachable { error, .. } if error.kind.is_in_vain()) {
            entry.lost(error, now);
        }
        let affected: Vec<VmId> = entry.copies.keys().copied().collect();
        self.publish(affected);
        self.publish_host(name);
        None
    }

    fn claim_on(&self, name: &HostName) -> Option<MigrationId> {
        let on_it = |claim: &&Claim| claim.source == *name || claim.destination == *name;
        self.open.values().find(on_it).map(|claim| claim.migration)
    }
}

fn names<'a>(entries: impl IntoIterator<Item = &'a HostEntry>) -> Vec<HostName> {
    entries.into_iter().map(|entry| entry.config.name.clone()).collect()
}

/// Where the console and other hosts find it.
fn addresses(config: &HostConfig) -> [String; 2] {
    [config.transport.address(), config.peer_address.to_string()]
}

fn taken(entry: &HostEntry, config: &HostConfig) -> Error {
    let name = entry.config.name.clone();
    match entry.origin {
        HostOrigin::Temporary => Error::TakenForMigration(name),
        _ if name == config.name => Error::HostNameTaken(name),
        _ => Error::AddressTaken(name),
    }
}
