//! Migrations.

#[cfg(feature = "ssr")]
use std::{collections::BTreeMap, time::Duration};

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use model::{DestinationReport, Destinations};
use model::{HostName, Migration, MigrationEvent, MigrationId, MigrationRequest, VmId};

#[cfg(feature = "ssr")]
use crate::console::after_form;
#[cfg(feature = "ssr")]
use crate::console::console;
#[cfg(feature = "ssr")]
use crate::console::refused;
#[cfg(feature = "ssr")]
use crate::console::who;
use crate::failure::Failure;
use crate::migrations::report::Outlook;
use crate::ui::json::Json;
#[cfg(feature = "ssr")]
use port::DestinationsRequest;

/// How many migrations a page of the list has.
pub(crate) const PAGE: u32 = 50;

/// How long a page waits for what destinations say. The browser asks again for those that took longer.
#[cfg(feature = "ssr")]
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Begins a migration; the request's fields are those of the form. With `mode`, it is refused if the VM's state is by now another
/// than the form was made for; without it, the VM's state decides. `looked_at` is the host that the form shows findings of.
#[server(output = Json)]
pub async fn start(
    request: MigrationRequest,
    #[server(default)] looked_at: Option<HostName>,
) -> Result<Migration, Failure> {
    let request = for_its_destination(request, looked_at.as_ref());
    let migration = console().start(&who()?, request.into()).await.map_err(refused)?;
    after_form(&format!("/migrations/{}", migration.id));
    Ok(migration)
}

/// Looks whether the VM can go where the form says, as the form says.
#[server(output = Json)]
pub async fn look(request: MigrationRequest) -> Result<Outlook, Failure> {
    let (console, who) = (console(), who()?);
    let vm = console.vm(&who, request.vm).map_err(refused)?;
    let report = console.destination(&who, vm.id, &request.destination, &request.options).await.map_err(refused)?;
    Ok(Outlook::of(&vm, &request, report))
}

/// Measures what the guest writes, so that the next look predicts with it.
#[server(output = Json)]
pub async fn measure(request: MigrationRequest) -> Result<(), Failure> {
    console().measure(&who()?, request.vm).await.map_err(refused)?;
    let page = format!("/vms/{}/migrate", request.vm);
    // Back to the form as it was filled in.
    let filled_in = serde_qs::to_string(&BTreeMap::from([("request", request)]));
    after_form(&filled_in.map_or(page.clone(), |filled_in| format!("{page}?{filled_in}")));
    Ok(())
}

/// What the migrate page begins with: all destinations, the best first, as far as they answer at once; and which one is chosen.
/// `request` is what the form says so far, where it was sent to look again.
#[server(output = Json)]
pub async fn look_around(
    id: String,
    #[server(default)] request: Option<MigrationRequest>,
    #[server(default)] looked_at: Option<HostName>,
) -> Result<(VmId, Vec<Outlook>, Option<HostName>), Failure> {
    let id = id.parse::<VmId>().map_err(refused)?;
    let request = request.map(|request| for_its_destination(request, looked_at.as_ref()));
    let chosen = request.as_ref().map(|request| request.destination.clone());
    let as_the_form_says = request.iter().map(|request| (request.destination.clone(), request.options.clone()));
    let asked = DestinationsRequest { vm: id, options: as_the_form_says.collect(), patience: Some(PATIENCE) };
    let Destinations { vm, recommended, reports } = console().destinations(&who()?, asked).await.map_err(refused)?;
    let outlook = |report: DestinationReport| {
        let as_the_form_says = request.clone().filter(|request| request.destination == report.host.name);
        let request = as_the_form_says.unwrap_or_else(|| MigrationRequest::plain(id, report.host.name.clone()));
        Outlook::of(&vm, &request, report)
    };
    Ok((id, reports.into_iter().map(outlook).collect(), chosen.or(recommended)))
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
#[server(output = Json)]
pub async fn cancel(id: MigrationId) -> Result<Migration, Failure> {
    let migration = console().cancel(&who()?, id).await.map_err(refused)?;
    after_form(&format!("/migrations/{id}"));
    Ok(migration)
}

/// One migration and its history, oldest entry first.
#[server(output = Json)]
pub async fn load_migration(id: String) -> Result<(Migration, Vec<MigrationEvent>), Failure> {
    let id = id.parse().map_err(refused)?;
    console().migration(&who()?, id).await.map_err(refused)
}

/// A page of the list, newest first.
#[server(output = Json)]
pub async fn list_migrations(before: Option<MigrationId>) -> Result<Vec<Migration>, Failure> {
    console().migrations(&who()?, before, PAGE).await.map_err(refused)
}
