//! `/plugins/kimchi/vms/<name>/migrate`: GET looks where the VM can go, POST moves it.

use axum::{
    Extension, Json,
    extract::{Request, State},
    http::StatusCode,
};
use model::{HostName, MigrationOptions, MigrationRequest, Preflight, Severity, text};
use port::Principal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    super::{Doors, Refused, json::json_body, named::Named},
    request::Wanted,
    tasks::Task,
    vms::{Asked, On, query},
};

/// Begins a migration and answers with its task.
pub(super) async fn migrate(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Named(name): Named,
    asked: Asked<On>,
    request: Request,
) -> Result<(StatusCode, Json<Task>), Refused> {
    let On { host } = query(asked)?;
    let Wanted { destination, options, accept } = Wanted::read(json_body(request).await?)?;
    let vm = doors.console.find(&who, &name, host.as_ref())?.id;
    let request = MigrationRequest { vm, destination: destination.into(), mode: None, options, accept };
    let migration = doors.console.start(&who, request).await?;
    Ok((StatusCode::ACCEPTED, Json(Task::from(&migration))))
}

/// What to look at.
#[derive(Deserialize)]
pub(super) struct Look {
    host: Option<HostName>,
    /// Only there: a host's name or address.
    destination: Option<String>,
    /// Whether to measure first what the guest writes, so that the prediction knows.
    #[serde(default)]
    measure: bool,
}

/// A destination, with what was found there.
#[derive(Serialize)]
struct Destination<'a> {
    severity: Severity,
    #[serde(flatten)]
    preflight: &'a Preflight,
    #[serde(skip_serializing_if = "Option::is_none")]
    recommended_because: Option<String>,
}

/// Where the VM can go, and what stands in the way elsewhere; the destinations that are recommended come first.
pub(super) async fn look(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Named(name): Named,
    asked: Asked<Look>,
) -> Result<Json<Value>, Refused> {
    let Look { host, destination, measure } = query(asked)?;
    let vm = doors.console.find(&who, &name, host.as_ref())?;
    let destination = destination.map(|destination| doors.console.host(&who, &destination)).transpose()?;
    if measure {
        doors.console.measure(&who, vm.id).await?;
    }
    let found = match destination {
        Some(only) => vec![doors.console.preflight(&who, vm.id, &only, &MigrationOptions::default()).await?],
        None => doors.console.preflights(&who, vm.id).await?,
    };
    let recommended = found.first().filter(|best| best.is_possible()).map(|best| &best.destination);
    let destination = |preflight| Destination {
        severity: Preflight::severity(preflight),
        preflight,
        recommended_because: (Some(&preflight.destination) == recommended).then(|| text::merits(preflight)),
    };
    Ok(Json(json!({
        "vm": { "name": vm.name, "id": vm.id, "host": vm.host },
        "recommended": recommended,
        "destinations": found.iter().map(destination).collect::<Vec<_>>(),
    })))
}
