//! What pages ask of the console about migrations. Contexts are taken before the first await: in a page's resource there are none
//! afterwards.

#[cfg(feature = "ssr")]
use std::{collections::BTreeMap, time::Duration};

use leptos::prelude::*;
use model::{DestinationReport, Destinations, HostName, Migration, MigrationEvent, MigrationId, MigrationRequest};
#[cfg(feature = "ssr")]
use port::DestinationsRequest;
#[cfg(feature = "ssr")]
use serde::Deserialize;

#[cfg(feature = "ssr")]
use crate::console::{after_form, console, refused, who};
use crate::failure::Failure;

/// How many migrations a page of the list has.
pub(crate) const PAGE: u32 = 50;

/// How long a page waits for preflights. The browser asks again for those that took longer.
#[cfg(feature = "ssr")]
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Begins a migration; the request's fields are those of the form. With `mode`, it is refused if the VM's state is by now another
/// than the form was made for; without it, the VM's state decides. `looked_at` is the host that the form shows findings of.
#[server]
pub async fn start(
    request: MigrationRequest,
    #[server(default)] looked_at: Option<HostName>,
) -> Result<Migration, Failure> {
    let request = for_its_destination(request, looked_at.as_ref());
    let migration = console().start(&who()?, request.into()).await.map_err(refused)?;
    after_form(&format!("/migrations/{}", migration.id));
    Ok(migration)
}

/// Checks whether the VM can go where the form says, as the form says.
#[server]
pub async fn preflight(request: MigrationRequest) -> Result<DestinationReport, Failure> {
    let MigrationRequest { vm, destination, options, .. } = request;
    console().destination(&who()?, vm, &destination, &options).await.map_err(refused)
}

/// Measures what the guest writes, so that the next preflight predicts with it.
#[server]
pub async fn measure(request: MigrationRequest) -> Result<(), Failure> {
    console().measure(&who()?, request.vm).await.map_err(refused)?;
    let page = format!("/vms/{}/migrate", request.vm);
    // Back to the form as it was filled in.
    let filled_in = serde_qs::to_string(&BTreeMap::from([("request", request)]));
    after_form(&filled_in.map_or(page.clone(), |filled_in| format!("{page}?{filled_in}")));
    Ok(())
}

/// What the form says so far, where it was sent to be checked again.
#[cfg(feature = "ssr")]
#[derive(Default, Deserialize)]
#[serde(default)]
struct FilledIn {
    request: Option<MigrationRequest>,
    looked_at: Option<HostName>,
}

/// What the migrate page begins with: all destinations that answer in time, the best first; and what the form says so far, if it was
/// sent to be checked again: `query` is the page's own.
#[server]
pub async fn load_destinations(id: String, query: String) -> Result<(Destinations, Option<MigrationRequest>), Failure> {
    let vm = id.parse().map_err(refused)?;
    let FilledIn { request, looked_at } = serde_qs::Config::new(5, false)
        .deserialize_str(&query)
        .map_err(|error| Failure::from_server_fn_error(ServerFnErrorErr::Args(error.to_string())))?;
    let request = request.map(|request| for_its_destination(request, looked_at.as_ref()));
    let as_the_form_says = request.iter().map(|request| (request.destination.clone(), request.options.clone()));
    let asked = DestinationsRequest { vm, options: as_the_form_says.collect(), patience: Some(PATIENCE) };
    Ok((console().destinations(&who()?, asked).await.map_err(refused)?, request))
}

/// What was ticked and chosen for one host is neither consent nor a choice for another: without WASM, the form goes on showing the
/// findings of the host that was chosen before.
#[cfg(feature = "ssr")]
fn for_its_destination(mut request: MigrationRequest, looked_at: Option<&HostName>) -> MigrationRequest {
    if looked_at.is_some_and(|host| *host != request.destination) {
        request.accept.clear();
        request.options.pools.clear();
    }
    request
}

/// Asks for a migration to be cancelled.
#[server]
pub async fn cancel(id: MigrationId) -> Result<Migration, Failure> {
    let migration = console().cancel(&who()?, id).await.map_err(refused)?;
    after_form(&format!("/migrations/{id}"));
    Ok(migration)
}

/// One migration and its history, oldest entry first.
#[server]
pub async fn load_migration(id: String) -> Result<(Migration, Vec<MigrationEvent>), Failure> {
    let id = id.parse().map_err(refused)?;
    console().migration(&who()?, id).await.map_err(refused)
}

/// A page of the list, newest first.
#[server]
pub async fn list_migrations(before: Option<MigrationId>) -> Result<Vec<Migration>, Failure> {
    console().migrations(&who()?, before, PAGE).await.map_err(refused)
}
