//! The two hosts of a migration, as the work on storage reaches them.

use std::sync::Arc;

use model::{HostName, Migration};

use crate::{
    context::Context,
    hypervisor::{HostConfig, HostConnection, HostError},
};

/// The two hosts of a migration. Connections are looked up for each use, since a host may have been reconnected meanwhile.
pub(super) struct Endpoints<'a> {
    context: &'a Context,
    source: HostName,
    destination: HostName,
}

impl<'a> Endpoints<'a> {
    pub(super) fn of(context: &'a Context, migration: &Migration) -> Self {
        Self { context, source: migration.source.clone(), destination: migration.destination.clone() }
    }

    pub(super) fn context(&self) -> &Context {
        self.context
    }

    pub(super) fn source_name(&self) -> &HostName {
        &self.source
    }

    pub(super) fn destination_name(&self) -> &HostName {
        &self.destination
    }

    /// # Errors
    /// Why the source can't be asked.
    pub(super) fn source(&self) -> Result<Arc<dyn HostConnection>, HostError> {
        self.context.inventory().connection(&self.source)
    }

    /// # Errors
    /// Why the destination can't be asked.
    pub(super) fn destination(&self) -> Result<Arc<dyn HostConnection>, HostError> {
        self.context.inventory().connection(&self.destination)
    }

    /// The settings of the source and of the destination.
    ///
    /// # Errors
    /// `unknown-host`
    pub(super) fn configs(&self) -> Result<(HostConfig, HostConfig), HostError> {
        let inventory = self.context.inventory();
        let config = |name| inventory.host(name).map(|entry| entry.config.clone());
        config(&self.source)
            .zip(config(&self.destination))
            .ok_or_else(|| HostError::unknown_host(self.destination.as_str()))
    }
}
