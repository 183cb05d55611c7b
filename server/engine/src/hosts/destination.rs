//! Destinations that need not be registered, and logins for one migration only.

use std::{fmt, sync::Arc};

use model::{HostName, HostOrigin};
use tokio::time::Instant;

use super::{
    Hosts,
    login::{HostCredentials, is_still_itself},
};
use crate::{
    error::Error,
    hypervisor::{Address, HostConfig, HostError, InvalidInput, Opened, Ssh, SshLogin, Transport, deadline},
    inventory::{Inventory, LoginOverride, Watch},
};

/// A destination that answers, held for a migration that is about to begin. A temporary host is removed, and its typed password
/// forgotten, once its last holder has dropped it and no migration with it is open.
pub struct Reached {
    /// The name to migrate to.
    pub host: HostName,
    /// How it was reached, if a login was typed for this migration.
    login: Option<Transport>,
    /// Whether it is registered once the migration has begun.
    register: bool,
    /// When the caller has to have an answer.
    deadline: Instant,
    _lease: Lease,
}

impl Reached {
    /// How it was reached, if a login was typed for this migration.
    pub(crate) fn login(&self) -> Option<&Transport> {
        self.login.as_ref()
    }

    /// Whether it is registered once the migration has begun.
    pub(crate) fn is_to_be_registered(&self) -> bool {
        self.register
    }

    /// When the caller has to have an answer.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }
}

impl fmt::Debug for Reached {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reached").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Keeps a host, and the login that was typed for it. Never to be dropped under the inventory's lock.
struct Lease {
    held: Option<Arc<()>>,
    hosts: Arc<Hosts>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.held = None;
        self.hosts.let_go();
    }
}

/// Where a VM shall go, and how that is reached.
enum Destination {
    /// To a registered host, by its own login.
    Registered(HostName),
    /// To a registered host, by a login that was typed.
    OverriddenLogin(HostConfig),
    /// To a host that is not registered.
    AdHoc(HostConfig),
}

/// The destination as it is in the inventory: its name, what holds it, and the watch to begin over the connection that was just made.
type Entered = (HostName, Arc<()>, Option<Watch>);

impl Hosts {
    /// Sees that a destination answers, within 10 s: a registered one by its name or address, or for one migration one that is
    /// not, by its
    /// address, where `port` is that of ssh (22, or what a registered host has). One that is not registered has the name
    /// `register` from now on, and is registered as soon as its migration has begun, by the task that begins it; without a name it is
    /// in the inventory for the migration only.
    ///
    /// # Errors
    /// `same-host` for this machine's own addresses; `invalid-input` for what is no address, and for a port or a fingerprint that
    /// would
    /// not be used; `host-exists` if `register` is another's name, or the host is registered; why it can't be reached.
    pub(crate) async fn reach(
        self: &Arc<Self>,
        destination: &str,
        port: Option<u16>,
        login: HostCredentials,
        register: Option<HostName>,
    ) -> Result<Reached, Error> {
        let deadline = deadline();
        let to = Destination::of(&self.context.inventory(), destination, port, &login, register.as_ref())?;
        let (host, held, login) = match &to {
            Destination::Registered(name) => (name.clone(), self.hold_registered(name)?, None),
            Destination::OverriddenLogin(config) | Destination::AdHoc(config) => {
                let opened = self.open_soon(config).await.map_err(|error| to.by_its_address(error))?;
                let (host, held, watch) = to.enter(&mut self.context.inventory(), &opened, register.as_ref())?;
                if let Some(watch) = watch {
                    self.watch(watch, Some(opened));
                }
                (host, held, Some(config.transport.clone()))
            }
        };
        let lease = Lease { held: Some(held), hosts: Arc::clone(self) };
        Ok(Reached { host, login, register: register.is_some(), deadline, _lease: lease })
    }

    fn hold_registered(&self, name: &HostName) -> Result<Arc<()>, HostError> {
        let mut inventory = self.context.inventory();
        inventory.connection(name)?;
        inventory.hold(name)
    }

    /// Registers a temporary host.
    pub(crate) async fn register_temporary(&self, name: &HostName) {
        let _changes = self.changes.lock().await;
        let Some(settings) = self.context.inventory().host(name).map(|entry| entry.config.settings()) else {
            return tracing::error!(host = %name, "a host is gone before it could be registered");
        };
        match self.context.store().put_host(&settings, None).await {
            Ok(()) => self.context.inventory().register(name),
            // Its migration has begun and goes on; the host is listed as temporary, and can be registered again.
            Err(error) => tracing::error!(host = %name, %error, "could not register a host"),
        }
    }
}

impl Destination {
    fn of(
        inventory: &Inventory,
        text: &str,
        port: Option<u16>,
        login: &HostCredentials,
        register: Option<&HostName>,
    ) -> Result<Self, Error> {
        let registered = inventory.find_host(text)?;
        let address = match registered {
            Some(entry) if entry.origin == HostOrigin::Temporary => entry.config.peer_address.clone(),
            Some(entry) => {
                if register.is_some() {
                    return Err(Error::RegisteredAlready(entry.config.name.clone()));
                }
                if !login.stands_in() {
                    if port.is_some() || login.fingerprint.is_some() {
                        return Err(is_reached_as_registered(&entry.config.name).into());
                    }
                    return Ok(Self::Registered(entry.config.name.clone()));
                }
                let transport = Transport::Ssh(login.instead(&entry.config, port));
                return Ok(Self::OverriddenLogin(HostConfig { transport, ..entry.config.clone() }));
            }
            None => text.parse()?,
        };
        let name = match (register, registered) {
            (Some(name), _) if registered.is_none_or(|entry| entry.config.name != *name) => name.clone(),
            (_, Some(entry)) => entry.config.name.clone(),
            _ => free_name(inventory, &address),
        };
        let config = unregistered(name, login.at(address, port));
        inventory.is_free(&config, registered.map(|entry| &entry.config.name))?;
        Ok(Self::AdHoc(config))
    }

    /// A refusal in the words of whoever asked: they may have written an address, and the name made of it is ours.
    fn by_its_address(&self, error: HostError) -> HostError {
        let Self::AdHoc(HostConfig { name, peer_address, .. }) = self else { return error };
        if HostName::made_of(&peer_address.to_string()).as_ref() != Ok(name) {
            return error;
        }
        let words = |text: String| text.replace(name.as_str(), &peer_address.to_string());
        HostError { sentence: words(error.sentence), fix: error.fix.map(words), ..error }
    }

    /// Enters the host in the inventory, or finds the entry that it has already, under another address perhaps.
    fn enter(&self, inventory: &mut Inventory, opened: &Opened, register: Option<&HostName>) -> Result<Entered, Error> {
        let (config, known) = match self {
            Self::Registered(name) => return Ok((name.clone(), inventory.hold(name)?, None)),
            Self::OverriddenLogin(config) => {
                let entry =
                    inventory.host(&config.name).ok_or_else(|| HostError::unknown_host(config.name.as_str()))?;
                (config, Some(entry))
            }
            Self::AdHoc(config) => {
                let same = inventory.with_uuid(opened.facts.uuid).or_else(|| inventory.at_address_of(config));
                (config, same)
            }
        };
        let until = Some(Instant::now());
        let typed = LoginOverride { transport: config.transport.clone(), until };
        let Some(entry) = known else {
            inventory.is_free(config, None)?;
            let watch = inventory.attach(config.clone(), HostOrigin::Temporary, Some(typed), Some(opened));
            return Ok((config.name.clone(), inventory.hold(&config.name)?, Some(watch)));
        };
        is_still_itself(entry, opened)?;
        let (name, origin) = (entry.config.name.clone(), entry.origin);
        match register {
            Some(_) if origin != HostOrigin::Temporary => return Err(Error::RegisteredAlready(name)),
            Some(wanted) if *wanted != name => return Err(Error::HasAnotherName(name)),
            _ => {}
        }
        let (is_connected, has_login) = (entry.connection.is_some(), entry.login.is_some());
        let held = inventory.hold(&name)?;
        let watch = match is_connected {
            true => None,
            false => inventory.logged_in(&name, (!has_login).then_some(typed), opened),
        };
        Ok((name, held, watch))
    }
}

/// A host that is not registered, reached by ssh, under this name.
fn unregistered(name: HostName, ssh: Ssh) -> HostConfig {
    let peer = Ssh { login: SshLogin::Program, fingerprint: None, ..ssh.clone() };
    HostConfig {
        name,
        peer_address: ssh.address.clone(),
        transport: Transport::Ssh(ssh),
        peer_transport: Transport::Ssh(peer),
        bandwidth_mib_s: None,
        shared_directories: Vec::new(),
    }
}

/// A name for the host at this address that no other has: `192-0-2-7`, or `2-192-0-2-7`.
fn free_name(inventory: &Inventory, address: &Address) -> HostName {
    let numbered = (2..).map(|number: u64| format!("{number}-{address}"));
    let names = std::iter::once(address.to_string()).chain(numbered).filter_map(|text| HostName::made_of(&text).ok());
    let mut free = names.filter(|name| inventory.host(name).is_none());
    free.next().expect("there are more numbers than hosts")
}

fn is_reached_as_registered(name: &HostName) -> InvalidInput {
    InvalidInput::new(format!("{name} is registered, and reached as it was registered.")).with_fix(
        "Leave out the port and the fingerprint, or log in for this one move with a user and a password, too.",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{clock::Clock, inventory::Feed};

    proptest! {
        #[test]
        fn every_address_has_a_free_name(text in "[a-z0-9][a-z0-9.-]{0,60}|[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}|::[0-9a-f]{0,4}") {
            let Ok(address) = text.parse::<Address>() else { return Ok(()) };
            let mut inventory = Inventory::new(Clock::start(), Feed::new(1));
            for _ in 0..12 {
                let name = free_name(&inventory, &address);
                prop_assert!(inventory.host(&name).is_none());
                let ssh = HostCredentials::default().at(address.clone(), None);
                inventory.attach(unregistered(name, ssh), HostOrigin::Temporary, None, None);
            }
        }
    }
}
