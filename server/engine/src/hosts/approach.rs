//! How an ad-hoc destination is reached, and how it enters the inventory.

use std::sync::Arc;

use model::{HostName, HostOrigin};
use tokio::time::Instant;

use super::{destination::HostToReach, login::is_still_itself};
use crate::{
    error::Error,
    hypervisor::{Address, HostConfig, HostError, InvalidInput, Opened, Ssh, SshLogin, Transport},
    inventory::{Inventory, LoginOverride, Watch},
};

/// How an ad-hoc destination is reached.
pub(super) enum Approach {
    /// A registered host, by its own login.
    OwnLogin(HostName),
    /// A registered host, by a login that was typed.
    OverriddenLogin(HostConfig),
    /// A host that is not registered.
    Unregistered {
        config: HostConfig,
        /// What errors call it while it is reached: a name that the console makes of its address is not known to whoever asks.
        called: String,
    },
}

/// The destination as it is in the inventory: its name, what holds it, and the watch to begin over the connection that was just made.
pub(super) type Entered = (HostName, Arc<()>, Option<Watch>);

impl Approach {
    pub(super) fn to(inventory: &Inventory, destination: &HostToReach) -> Result<Self, Error> {
        let HostToReach { address: typed, port, credentials, register } = destination;
        let known = inventory.find_host(typed)?;
        if let Some(entry) = known.filter(|entry| entry.origin != HostOrigin::Temporary) {
            return Self::to_registered(&entry.config, destination);
        }
        let address = match known {
            Some(entry) => entry.config.peer_address.clone(),
            None => typed.parse()?,
        };
        let name = match (register, known) {
            (Some(name), _) if known.is_none_or(|entry| entry.config.name != *name) => name.clone(),
            (_, Some(entry)) => entry.config.name.clone(),
            _ => free_name(inventory, &address),
        };
        let config = unregistered(name, credentials.at(address, *port));
        inventory.is_free(&config, known.map(|entry| &entry.config.name))?;
        let called = register.as_ref().map_or_else(|| typed.clone(), ToString::to_string);
        Ok(Self::Unregistered { config, called })
    }

    fn to_registered(config: &HostConfig, destination: &HostToReach) -> Result<Self, Error> {
        let HostToReach { port, credentials, register, .. } = destination;
        if register.is_some() {
            return Err(Error::RegisteredAlready(config.name.clone()));
        }
        if credentials.stands_in() {
            let transport = Transport::Ssh(credentials.instead(config, *port));
            return Ok(Self::OverriddenLogin(HostConfig { transport, ..config.clone() }));
        }
        if port.is_some() || credentials.fingerprint.is_some() {
            return Err(is_reached_as_registered(&config.name).into());
        }
        Ok(Self::OwnLogin(config.name.clone()))
    }

    /// What errors call the host while it is reached.
    pub(super) fn called(&self) -> &str {
        match self {
            Self::OwnLogin(name) | Self::OverriddenLogin(HostConfig { name, .. }) => name.as_str(),
            Self::Unregistered { called, .. } => called,
        }
    }

    /// Enters the host in the inventory, or finds the entry that it has already, under another address perhaps.
    pub(super) fn enter(
        &self,
        inventory: &mut Inventory,
        opened: &Opened,
        register: Option<&HostName>,
    ) -> Result<Entered, Error> {
        let (config, known) = match self {
            Self::OwnLogin(name) => return Ok((name.clone(), inventory.hold(name)?, None)),
            Self::OverriddenLogin(config) => {
                let entry =
                    inventory.host(&config.name).ok_or_else(|| HostError::unknown_host(config.name.as_str()))?;
                (config, Some(entry))
            }
            Self::Unregistered { config, .. } => {
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
        policy_defaults: model::PolicyDefaults::default(),
        shared_directories: Vec::new(),
        budget: model::HostBudget::default(),
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

    use super::{super::HostCredentials, *};
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
