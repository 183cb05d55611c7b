//! The hosts of the configuration, checked one by one and against each other.

use std::collections::{BTreeMap, BTreeSet};

use engine::HostConfig;
use model::HostSettings;

use super::ConfigError;

/// The hosts that these settings describe.
pub(super) fn checked(settings: &[HostSettings]) -> Result<Vec<HostConfig>, ConfigError> {
    let mut names = BTreeSet::new();
    if let Some(twice) = settings.iter().find(|host| !names.insert(&host.name)) {
        return Err(ConfigError::SameName(twice.name.clone()));
    }
    let checked = |settings| HostConfig::checked(settings).map_err(ConfigError::Host);
    let hosts: Vec<HostConfig> = settings.iter().map(checked).collect::<Result<_, _>>()?;
    check_addresses(&hosts)?;
    Ok(hosts)
}

/// A destination may be named by its address, so that an address can belong to one host only, at any port.
fn check_addresses(hosts: &[HostConfig]) -> Result<(), ConfigError> {
    let mut owners = BTreeMap::new();
    for host in hosts {
        for address in [host.transport.address(), host.peer_address.to_string()] {
            match owners.insert(address.clone(), &host.name) {
                Some(other) if *other != host.name => {
                    return Err(ConfigError::SameAddress { first: other.clone(), second: host.name.clone(), address });
                }
                _ => {}
            }
        }
    }
    Ok(())
}
