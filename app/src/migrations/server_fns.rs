//! What pages ask of the console about migrations. Contexts are read before the first await: in a page's resource there are none
//! afterwards.

#[cfg(feature = "ssr")]
use std::time::Duration;

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use model::MigrationFilter;
use model::{Destinations, HostName, Migration, MigrationEvent, MigrationId, MigrationRequest, Step, TracePoint};
#[cfg(feature = "ssr")]
use port::DestinationsRequest;

#[cfg(feature = "ssr")]
use crate::console::{after_form, console, refused, who};
use crate::failure::Failure;
#[cfg(feature = "ssr")]
use crate::migrations::filled_in;
use crate::migrations::{checked_destination::CheckedDestination, steer::SteeringFields};

/// How many migrations a page of the list has.
pub(crate) const PAGE: u32 = 50;

/// How long a page waits for preflights. The browser asks again for those that took longer.
#[cfg(feature = "ssr")]
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Starts a migration; the request's fields are those of the form. With `mode`, it is refused if the VM's state has changed since the
/// form was made; without it, the VM's state decides. `looked_at` is the host whose findings the form shows.
#[server]
pub async fn start(
    request: MigrationRequest,
    #[server(default)] looked_at: Option<HostName>,
) -> Result<Migration, Failure> {
    let request = filled_in::without_stale_choices(request, looked_at.as_ref());
    let migration = console().start(&who()?, request.into()).await.map_err(refused)?;
    after_form(&format!("/migrations/{}", migration.id));
    Ok(migration)
}

/// Checks whether the VM can move to the form's destination with the form's options.
#[server]
pub async fn preflight(request: MigrationRequest) -> Result<CheckedDestination, Failure> {
    let MigrationRequest { vm, destination, options, .. } = &request;
    let report = console().destination(&who()?, *vm, destination, options).await.map_err(refused)?;
    Ok(CheckedDestination { request, report })
}

/// Measures what the guest writes, so that the next preflight predicts with it.
#[server]
pub async fn measure(request: MigrationRequest) -> Result<(), Failure> {
    console().measure(&who()?, request.vm).await.map_err(refused)?;
    let page = format!("/vms/{}/migrate", request.vm);
    // Back to the form as it was filled in.
    let query = filled_in::to_query(&request);
    after_form(&query.map_or(page.clone(), |query| format!("{page}?{query}")));
    Ok(())
}

/// What the migrate page begins with: all destinations that answer in time, the best first; and the request, if the form was sent to be
/// checked again. `query` is that of the page's address.
#[server]
pub async fn load_destinations(id: String, query: String) -> Result<(Destinations, Option<MigrationRequest>), Failure> {
    let vm = id.parse().map_err(refused)?;
    let request = filled_in::from_query(&query)
        .map_err(|error| Failure::from_server_fn_error(ServerFnErrorErr::Args(error.to_string())))?;
    let as_the_form_says = request.iter().map(|request| (request.destination.clone(), request.options.clone()));
    let asked = DestinationsRequest { vm, options: as_the_form_says.collect(), patience: Some(PATIENCE) };
    Ok((console().destinations(&who()?, asked).await.map_err(refused)?, request))
}

/// Asks for a migration to be cancelled.
#[server]
pub async fn cancel(id: MigrationId) -> Result<Migration, Failure> {
    let migration = console().cancel(&who()?, id).await.map_err(refused)?;
    after_form(&format!("/migrations/{id}"));
    Ok(migration)
}

/// Takes the step that a migration offers which needs attention.
#[server]
pub async fn take_step(id: MigrationId, step: Step) -> Result<Migration, Failure> {
    let migration = console().take_step(&who()?, id, step).await.map_err(refused)?;
    after_form(&format!("/migrations/{id}"));
    Ok(migration)
}

/// Tells a running migration to go on otherwise.
#[server]
pub async fn steer(id: MigrationId, steering: SteeringFields) -> Result<Migration, Failure> {
    let steering = steering.try_into().map_err(refused)?;
    let migration = console().steer(&who()?, id, steering).await.map_err(refused)?;
    after_form(&format!("/migrations/{id}"));
    Ok(migration)
}

/// One migration, its history, oldest entry first, and what was measured of it in the course of time.
#[server]
pub async fn load_migration(id: String) -> Result<(Migration, Vec<MigrationEvent>, Vec<TracePoint>), Failure> {
    let id = id.parse().map_err(refused)?;
    let (console, who) = (console(), who()?);
    let (migration, events) = console.migration(&who, id).await.map_err(refused)?;
    // The record is shown even if its picture can't be.
    let points = console.trace(&who, id).await.unwrap_or_default();
    Ok((migration, events, points))
}

/// A migration's history, oldest entry first.
#[server]
pub async fn load_history(id: MigrationId) -> Result<Vec<MigrationEvent>, Failure> {
    Ok(console().migration(&who()?, id).await.map_err(refused)?.1)
}

/// A page of the list, newest first.
#[server]
pub async fn list_migrations(before: Option<MigrationId>) -> Result<Vec<Migration>, Failure> {
    let page = MigrationFilter { before, ..MigrationFilter::newest(PAGE) };
    console().migrations(&who()?, &page).await.map_err(refused)
}
