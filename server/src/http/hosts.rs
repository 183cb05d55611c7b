//! `/api/hosts`: hosts that come and go at run time.

use axum::{
    Extension, Json, RequestExt, Router,
    extract::{FromRequest, Request, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use model::{
    Code, Host, HostDetails, HostLogin, HostName, HostTest, MaintenanceCommand, NewHost, Problem, RegisteredHost, Scope,
};
use port::Principal;
use serde::{Deserialize, Serialize};

use super::{
    DoorState, Doors, Refused,
    json::{json_body, optional_json_body},
    named::Named,
    not_offered,
};

/// `POST /api/hosts/test` tries what a host would be added with.
const TEST: &str = "test";

pub(super) fn router() -> Router<DoorState> {
    Router::new()
        .route("/", get(list).post(add))
        // A host may be called "test", so that this is no route of its own.
        .route("/{name}", get(one).put(change).delete(remove).post(test))
        .route("/{name}/details", get(details))
        .route("/{name}/login", post(log_in))
        .route("/{name}/key", post(set_up_key).delete(remove_key))
        .route("/{name}/maintenance", post(maintain))
}

/// A host as it was registered and as it is now.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    registered: RegisteredHost,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<Host>,
}

fn all(doors: &Doors, who: &Principal) -> Result<Vec<Shown>, Refused> {
    let states = doors.console.snapshot(who, Some(Scope { hosts: true, ..Scope::default() }))?.hosts;
    let shown = |registered: RegisteredHost| {
        let state = states.iter().find(|host| host.name == registered.settings.name).cloned();
        Shown { registered, state }
    };
    Ok(doors.console.registered(who)?.into_iter().map(shown).collect())
}

fn only(doors: &Doors, who: &Principal, name: &HostName) -> Result<Shown, Refused> {
    let found = all(doors, who)?.into_iter().find(|host| host.registered.settings.name == *name);
    found.ok_or_else(|| Refused::missing(unknown(name.as_str())))
}

/// `GET /api/hosts`.
async fn list(State(doors): State<Doors>, Extension(who): Extension<Principal>) -> Result<Json<Vec<Shown>>, Refused> {
    Ok(Json(all(&doors, &who)?))
}

/// `POST /api/hosts`.
async fn add(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    request: Request,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Shown>), Refused> {
    let host: NewHost = json_body(request).await?;
    let name = host.settings.name.clone();
    doors.console.add_host(&who, host).await?;
    let location = format!("/api/hosts/{name}");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(only(&doors, &who, &name)?)))
}

/// `GET /api/hosts/<name>`.
async fn one(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
) -> Result<Json<Shown>, Refused> {
    Ok(Json(only(&doors, &who, &host_name(&named)?)?))
}

/// `GET /api/hosts/<name>/details`: what it has just now.
async fn details(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
) -> Result<Json<HostDetails>, Refused> {
    Ok(Json(doors.console.host_details(&who, &host_name(&named)?).await.map_err(missing)?))
}

/// `PUT /api/hosts/<name>`.
async fn change(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
    request: Request,
) -> Result<Json<Shown>, Refused> {
    let before = host_name(&named)?;
    let host: NewHost = json_body(request).await?;
    let name = host.settings.name.clone();
    doors.console.change_host(&who, &before, host).await.map_err(missing)?;
    Ok(Json(only(&doors, &who, &name)?))
}

/// `DELETE /api/hosts/<name>`.
async fn remove(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
) -> Result<StatusCode, Refused> {
    done(doors.console.remove_host(&who, &host_name(&named)?).await)
}

/// `POST /api/hosts/test`.
async fn test(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Named(name): Named,
    request: Request,
) -> Result<Json<HostTest>, Refused> {
    if name != TEST {
        return Err(not_offered().into());
    }
    Ok(Json(doors.console.test_host(&who, json_body(request).await?).await?))
}

/// A host, and the login that is to be used there.
struct LoginAt {
    doors: Doors,
    who: Principal,
    name: HostName,
    login: HostLogin,
}

impl FromRequest<DoorState> for LoginAt {
    type Rejection = Response;

    async fn from_request(mut request: Request, state: &DoorState) -> Result<Self, Response> {
        let Extension(who) = request.extract_parts().await.map_err(IntoResponse::into_response)?;
        let named = request.extract_parts().await.map_err(Refused::into_response)?;
        let name = host_name(&named).map_err(Refused::into_response)?;
        let login = optional_json_body(request).await.map_err(Refused::into_response)?;
        Ok(Self { doors: state.doors.clone(), who, name, login })
    }
}

fn done(outcome: Result<(), Problem>) -> Result<StatusCode, Refused> {
    outcome.map(|()| StatusCode::NO_CONTENT).map_err(missing)
}

/// `POST /api/hosts/<name>/login`.
async fn log_in(LoginAt { doors, who, name, login }: LoginAt) -> Result<StatusCode, Refused> {
    done(doors.console.log_in_at_host(&who, &name, login).await)
}

/// `POST /api/hosts/<name>/key`.
async fn set_up_key(LoginAt { doors, who, name, login }: LoginAt) -> Result<StatusCode, Refused> {
    done(doors.console.set_up_key(&who, &name, login).await)
}

/// `DELETE /api/hosts/<name>/key`.
async fn remove_key(LoginAt { doors, who, name, login }: LoginAt) -> Result<StatusCode, Refused> {
    done(doors.console.remove_key(&who, &name, login).await)
}

/// What a person says of a host that is emptied or was.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Maintain {
    command: MaintenanceCommand,
}

/// `POST /api/hosts/<name>/maintenance`.
async fn maintain(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
    request: Request,
) -> Result<Json<Shown>, Refused> {
    let name = host_name(&named)?;
    let Maintain { command } = json_body(request).await?;
    doors.console.set_maintenance(&who, &name, command).await.map_err(missing)?;
    Ok(Json(only(&doors, &who, &name)?))
}

/// A text that can't be a host's name is answered like the name of an unknown host.
fn host_name(Named(name): &Named) -> Result<HostName, Refused> {
    name.parse().map_err(|_| Refused::missing(unknown(name)))
}

fn unknown(name: &str) -> Problem {
    Problem::new(Code::UnknownHost, format!("There is no host called {name:?}.")).with_fix("GET /api/hosts lists them.")
}

/// A host that the address names and that is not registered is a 404, not a mistake in the body.
fn missing(problem: Problem) -> Refused {
    if problem.code == Code::UnknownHost { Refused::missing(problem) } else { problem.into() }
}
