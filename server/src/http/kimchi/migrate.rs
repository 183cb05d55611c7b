//! `/plugins/kimchi/vms/<name>/migrate`: GET says where the VM can go, POST moves it.

use axum::{
    Extension, Json,
    extract::{Request, State},
    http::StatusCode,
};
use model::{Destinations, HostName, MigrationOptions, MigrationRequest, Preflight, Severity, text};
use port::{DestinationsRequest, Principal};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    super::{Doors, Refused, json::json_body, named::Named},
    request::Wanted,
    tasks::Task,
    vms::{Asked, On, query},
};

/// Starts a migration and answers with its task.
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

/// Which destinations are asked about.
#[derive(Deserialize)]
pub(super) struct Question {
    host: Option<HostName>,
    /// Only this one: a host's name or address.
    destination: Option<String>,
    /// Whether what the guest writes is measured first, so that the prediction knows.
    #[serde(default)]
    measure: bool,
}

/// A destination, with what was found there.
#[derive(Serialize)]
struct Shown<'a> {
    severity: Severity,
    #[serde(flatten)]
    preflight: &'a Preflight,
    #[serde(skip_serializing_if = "Option::is_none")]
    recommended_because: Option<String>,
}

/// Where the VM can go, the best destination first, and what was found there.
pub(super) async fn destinations(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Named(name): Named,
    asked: Asked<Question>,
) -> Result<Json<Value>, Refused> {
    let Question { host, destination, measure } = query(asked)?;
    let vm = doors.console.find(&who, &name, host.as_ref())?;
    let only = destination.map(|destination| doors.console.host(&who, &destination)).transpose()?;
    if measure {
        doors.console.measure(&who, vm.id).await?;
    }
    let found = match only {
        Some(only) => {
            let report = doors.console.destination(&who, vm.id, &only, &MigrationOptions::default()).await?;
            Destinations::ranked(vm, vec![report])
        }
        None => doors.console.destinations(&who, DestinationsRequest::plain(vm.id)).await?,
    };
    let shown = |preflight| Shown {
        severity: Preflight::severity(preflight),
        preflight,
        recommended_because: (Some(&preflight.destination) == found.recommended.as_ref())
            .then(|| text::merits(preflight)),
    };
    Ok(Json(json!({
        "vm": { "name": found.vm.name, "id": found.vm.id, "host": found.vm.host },
        "recommended": found.recommended,
        "destinations": found.preflights()?.into_iter().map(shown).collect::<Vec<_>>(),
    })))
}
