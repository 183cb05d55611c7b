//! What pages ask of the console about migrations. Contexts are read before the first await: in a page's resource there are none
//! afterwards.

#[cfg(feature = "ssr")]
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use leptos::prelude::*;
use model::{Destinations, HostName, Migration, MigrationId, MigrationRequest, Step};
#[cfg(feature = "ssr")]
use model::{MigrationQuery, Problem};
#[cfg(feature = "ssr")]
use port::{DestinationsRequest, Principal, SharedConsole};

#[cfg(feature = "ssr")]
use crate::console::{after_form, console, refused, who};
use crate::failure::Failure;
use crate::migrations::{checked_destination::CheckedDestination, steer::SteeringFields};
#[cfg(feature = "ssr")]
use crate::migrations::{
    filled_in,
    kept::Kept,
    list::{COUNTED, MigrationList, PAGE},
    more_options::more_options,
    picture::Picture,
};
#[cfg(feature = "ssr")]
use crate::ui::markup::rendered;

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

/// The fields of the options that few choose.
#[server]
pub async fn more_options_html() -> Result<String, Failure> {
    Ok(more_options(None, None))
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

/// One migration.
#[server]
pub async fn load_migration(id: String) -> Result<Migration, Failure> {
    Ok(console().migration(&who()?, id.parse().map_err(refused)?).await.map_err(refused)?.0)
}

/// A migration's request and history.
#[server]
pub async fn migration_html(id: MigrationId) -> Result<String, Failure> {
    Ok(migration_kept(console(), who()?, id).await.map_err(refused)?.0)
}

/// A migration's picture.
#[server]
pub async fn picture_html(id: MigrationId) -> Result<String, Failure> {
    Ok(migration_kept(console(), who()?, id).await.map_err(refused)?.1)
}

/// A page of the list, newest first, and the figures of all that match.
#[server]
#[allow(clippy::too_many_arguments, reason = "a field each of the form")]
pub async fn migrations_html(
    #[server(default)] vm: String,
    #[server(default)] host: String,
    #[server(default)] result: String,
    #[server(default)] by: String,
    #[server(default)] hours: String,
    #[server(default)] before: String,
) -> Result<String, Failure> {
    let query = MigrationQuery { vm, host, result, by, hours, before };
    migration_list(console(), who()?, query).await.map_err(refused)
}

/// The same, for the page's first HTML.
///
/// # Errors
/// Those of [`MigrationQuery::filter`], and when the store fails.
#[cfg(feature = "ssr")]
pub async fn migration_list(console: SharedConsole, who: Principal, query: MigrationQuery) -> Result<String, Problem> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let page = console.migrations(&who, &query.filter(now_ms, PAGE)?).await?;
    let all = MigrationQuery { before: String::new(), ..query.clone() };
    let matching = console.migrations(&who, &all.filter(now_ms, COUNTED)?).await?;
    Ok(rendered(|| view! { <MigrationList query page matching /> }))
}

/// A migration's request and history, and its picture, for the page's first HTML.
///
/// # Errors
/// `unknown-migration`.
#[cfg(feature = "ssr")]
pub async fn migration_kept(
    console: SharedConsole,
    who: Principal,
    id: MigrationId,
) -> Result<(String, String), Problem> {
    let (migration, events) = console.migration(&who, id).await?;
    // The record is shown even if its picture can't be.
    let points = console.trace(&who, id).await.unwrap_or_default();
    let memory_bytes = console.vm(&who, migration.vm).ok().map(|vm| vm.memory_bytes);
    let picture = rendered(|| view! { <Picture migration=migration.clone() points memory_bytes /> });
    Ok((rendered(|| view! { <Kept migration events /> }), picture))
}
