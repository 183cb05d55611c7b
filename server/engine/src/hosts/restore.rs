//! Hosts of an earlier run of the console: those that were registered at run time, and those that migrations need.

use model::{HostOrigin, HostSettings, Migration};

use crate::{error::Error, hypervisor::HostConfig, inventory::Inventory};

/// Adds hosts that were registered at run time. One that can't be used is left out: the console has to start all the same.
pub(crate) fn add_stored(inventory: &mut Inventory, hosts: &[HostSettings]) {
    for settings in hosts {
        add(inventory, settings, HostOrigin::Added);
    }
}

/// Adds the hosts that are not registered and that these migrations go to.
pub(crate) fn add_unregistered<'a>(inventory: &mut Inventory, migrations: impl IntoIterator<Item = &'a Migration>) {
    for settings in migrations.into_iter().filter_map(|migration| migration.unregistered.as_ref()) {
        // Several migrations may go there, or it was registered meanwhile.
        if inventory.host(&settings.name).is_none() {
            add(inventory, settings, HostOrigin::Temporary);
        }
    }
}

fn add(inventory: &mut Inventory, settings: &HostSettings, origin: HostOrigin) {
    let usable = HostConfig::checked(settings).map_err(Error::from).and_then(|config| {
        // A migration has to ask its destination for the verdict, whoever has its address now.
        if origin == HostOrigin::Added {
            inventory.is_free(&config, None)?;
        }
        Ok(config)
    });
    match usable {
        Ok(config) => drop(inventory.attach(config, origin, None, None)),
        Err(error) => tracing::warn!(host = %settings.name, %error, "a stored host can't be used"),
    }
}
