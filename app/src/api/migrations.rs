//! Migrations.

use leptos::prelude::*;
use model::{HostName, Migration, MigrationEvent, MigrationId, Mode, VmId};
#[cfg(feature = "ssr")]
use model::{MigrationOptions, MigrationRequest};

#[cfg(feature = "ssr")]
use super::door::{after_form, console, refused, who};
use super::{Failure, Json};

/// How many migrations a page of the list has.
pub(crate) const PAGE: u32 = 50;

/// Begins a migration; the arguments are the form's fields. With `mode`, it is refused if the VM's state is by now another than the
/// form was made for; without it, the VM's state decides.
#[server(output = Json)]
pub async fn start(
    vm: VmId,
    destination: HostName,
    #[server(default)] mode: Option<Mode>,
    #[server(default)] keep_source_definition: bool,
    #[server(default)] bandwidth_mib_s: Option<u32>,
) -> Result<Migration, Failure> {
    let options = MigrationOptions { keep_source_definition, bandwidth_mib_s, ..MigrationOptions::default() };
    let request = MigrationRequest { vm, destination, mode, options, accept: Vec::new() };
    let migration = console().start(&who().await?, request).await.map_err(refused)?;
    after_form(&format!("/migrations/{}", migration.id));
    Ok(migration)
}

/// Asks for a migration to be cancelled.
#[server(output = Json)]
pub async fn cancel(id: MigrationId) -> Result<Migration, Failure> {
    let migration = console().cancel(&who().await?, id).await.map_err(refused)?;
    after_form(&format!("/migrations/{id}"));
    Ok(migration)
}

/// One migration and its history, oldest entry first.
#[server(output = Json)]
pub async fn load_migration(id: MigrationId) -> Result<(Migration, Vec<MigrationEvent>), Failure> {
    console().migration(&who().await?, id).await.map_err(refused)
}

/// A page of the list, newest first.
#[server(output = Json)]
pub async fn list_migrations(before: Option<MigrationId>) -> Result<Vec<Migration>, Failure> {
    console().migrations(&who().await?, before, PAGE).await.map_err(refused)
}
