//! `/api/evacuations`: plans, which change nothing, and evacuations: plans that are carried out.

use std::future::ready;

use axum::{
    Extension, Json, Router,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderName, StatusCode, header},
    middleware::from_fn,
    routing::{MethodRouter, get, post},
};
use model::{
    Code, Evacuation, EvacuationCommand, EvacuationEvent, EvacuationId, Plan, PlanId, PlanRequest, Problem, VmId,
};
use port::Principal;
use serde::{Deserialize, Serialize};

use super::{
    DoorState, Doors, Refused, body,
    json::{json_body, optional_json_body},
    named::Named,
};

/// How many evacuations are listed if the request does not say.
const LISTED: u32 = 100;

pub(super) fn router() -> Router<DoorState> {
    Router::new()
        .route("/", get(list).post(carry_out))
        .route("/plans", post(plan).layer(from_fn(body::limit_of_lists)))
        .route("/plans/{id}", get(kept_plan))
        .route("/{id}", get(one))
        .route("/{id}/pause", told(EvacuationCommand::Pause))
        .route("/{id}/continue", told(EvacuationCommand::Continue))
        .route("/{id}/stop", told_by(stop))
        .route("/{id}/skip", told_of_vm(EvacuationCommand::Skip))
        .route("/{id}/retry", told_of_vm(EvacuationCommand::Retry))
        .route("/{id}/first", told_of_vm(EvacuationCommand::First))
}

/// An answer with the address of what was made.
type Made<T> = (StatusCode, [(HeaderName, String); 1], Json<T>);

/// `POST /api/evacuations/plans`: a dry run.
async fn plan(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    request: Request,
) -> Result<Made<Plan>, Refused> {
    let request: PlanRequest = json_body(request).await?;
    let plan = doors.console.plan(&who, request).await?;
    let location = format!("/api/evacuations/plans/{}", plan.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(plan)))
}

/// `GET /api/evacuations/plans/<id>`.
async fn kept_plan(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Named(id): Named,
) -> Result<Json<Plan>, Refused> {
    let unknown = |_| Problem::new(Code::UnknownPlan, "There is no plan of this id.").with_fix("Make a new plan.");
    let id: PlanId = id.parse().map_err(unknown)?;
    Ok(Json(doors.console.kept_plan(&who, id).await?))
}

/// Which plan is carried out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CarryOut {
    plan: PlanId,
}

/// `POST /api/evacuations`.
async fn carry_out(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    request: Request,
) -> Result<Made<Evacuation>, Refused> {
    let CarryOut { plan } = json_body(request).await?;
    let evacuation = doors.console.carry_out(&who, plan).await?;
    let location = format!("/api/evacuations/{}", evacuation.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(evacuation)))
}

/// How many evacuations are wanted.
#[derive(Deserialize)]
struct Wanted {
    limit: Option<u32>,
}

/// `GET /api/evacuations`: the newest, newest first, without their VMs.
async fn list(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    asked: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Vec<Evacuation>>, Refused> {
    let unreadable = |error: QueryRejection| {
        Problem::new(Code::InvalidInput, "This query can't be read.").with_details(error.body_text())
    };
    let Query(Wanted { limit }) = asked.map_err(unreadable)?;
    Ok(Json(doors.console.evacuations(&who, limit.unwrap_or(LISTED)).await?))
}

/// An evacuation and its history, oldest entry first.
#[derive(Serialize)]
struct Shown {
    evacuation: Evacuation,
    history: Vec<EvacuationEvent>,
}

/// `GET /api/evacuations/<id>`.
async fn one(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
) -> Result<Json<Shown>, Refused> {
    let (evacuation, history) = doors.console.evacuation(&who, parse(&named)?).await?;
    Ok(Json(Shown { evacuation, history }))
}

/// How an evacuation is stopped; without a body what is under way ends by itself.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Stop {
    cancel: bool,
}

/// The VM of an evacuation that is meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meant {
    vm: VmId,
}

/// `POST /api/evacuations/<id>/stop`.
async fn stop(request: Request) -> Result<EvacuationCommand, Refused> {
    let Stop { cancel } = optional_json_body(request).await?;
    Ok(EvacuationCommand::Stop { cancel })
}

/// A route that tells an evacuation this, whatever the body is.
fn told(command: EvacuationCommand) -> MethodRouter<DoorState> {
    told_by(move |_| ready(Ok(command.clone())))
}

/// A route that tells an evacuation this of the VM in the body.
fn told_of_vm(command: fn(VmId) -> EvacuationCommand) -> MethodRouter<DoorState> {
    told_by(move |request| async move {
        let Meant { vm } = json_body(request).await?;
        Ok(command(vm))
    })
}

/// A route that tells an evacuation what a request says, and answers with the evacuation.
fn told_by<R>(read: impl Fn(Request) -> R + Clone + Send + Sync + 'static) -> MethodRouter<DoorState>
where
    R: Future<Output = Result<EvacuationCommand, Refused>> + Send,
{
    let tell = async move |State(doors): State<Doors>,
                           Extension(who): Extension<Principal>,
                           named: Named,
                           request: Request| {
        let command = read(request).await?;
        Ok::<_, Refused>(Json(doors.console.tell(&who, parse(&named)?, command).await?))
    };
    post(tell)
}

/// A text that can't be an id is answered like the id of an unknown evacuation.
fn parse(Named(id): &Named) -> Result<EvacuationId, Problem> {
    id.parse().map_err(|_| {
        Problem::new(Code::UnknownEvacuation, "There is no evacuation of this id.")
            .with_fix("GET /api/evacuations lists them.")
    })
}
