//! `POST /plugins/kimchi/vms/<name>/migrate`.

use std::net::IpAddr;

use app::console::Principal;
use axum::{
    Extension, Json,
    extract::{Request, State},
    http::StatusCode,
};
use model::{Code, MigrationOptions, MigrationRequest, Problem};
use serde_json::{Map, Value};

use super::{
    super::{Doors, Refused, json::json_body},
    Named,
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
    let destination = destination(&json_body(request).await?)?;
    let vm = doors.console.find(&who, &name, host.as_ref())?;
    let destination = doors.console.host(&who, &destination).map_err(|problem| unknown_host(problem, &destination))?;
    let request = MigrationRequest {
        vm: vm.id,
        destination,
        mode: None,
        options: MigrationOptions::default(),
        accept: Vec::new(),
    };
    let migration = doors.console.start(&who, request).await?;
    Ok((StatusCode::ACCEPTED, Json(Task::from(&migration))))
}

/// Kimchi has a code of its own for whoever wants to migrate to where they are.
fn unknown_host(problem: Problem, destination: &str) -> Refused {
    let is_here = destination.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        || destination.eq_ignore_ascii_case("localhost");
    let refused = Refused::from(problem);
    if is_here { refused.known_as("KCHVM0055E") } else { refused }
}

/// The destination asked for, after everything else in the body was checked, too.
fn destination(body: &Value) -> Result<String, Refused> {
    let invalid = |sentence: String| Problem::new(Code::InvalidInput, sentence);
    let body = body.as_object().ok_or_else(|| {
        invalid("The request's body is not a JSON object.".into()).with_fix(r#"Send {"destination": "<host>"}."#)
    })?;
    const KNOWN: [&str; 5] = ["destination", "remote_host", "user", "password", "enable_rdma"];
    if let Some(unknown) = body.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        let unknown: String = unknown.chars().filter(|c| !c.is_control()).take(40).collect();
        return Err(invalid(format!("There is no field \"{unknown}\"."))
            .with_fix(format!("There are {}.", KNOWN.join(", ")))
            .into());
    }
    let user = text(body, "user", "KCHVM0059E", false)?;
    let password = text(body, "password", "KCHVM0069E", true)?;
    let rdma = match body.get("enable_rdma") {
        None => false,
        Some(Value::Bool(rdma)) => *rdma,
        Some(_) => {
            return Err(Refused::from(invalid("enable_rdma is neither true nor false.".into())).known_as("KCHVM0091E"));
        }
    };
    let destination =
        match (text(body, "destination", "KCHVM0060E", false)?, text(body, "remote_host", "KCHVM0060E", false)?) {
            (Some(one), Some(other)) if one != other => {
                return Err(invalid("destination and remote_host are two names of one field, and differ.".into())
                    .with_fix("Send one of them.")
                    .into());
            }
            (Some(destination), _) | (None, Some(destination)) => destination,
            (None, None) => {
                let problem = invalid("The destination is missing.".into()).with_fix("Name a registered host.");
                return Err(Refused::from(problem).known_as("KCHVM0060E"));
            }
        };
    if user.is_some() || password.is_some() {
        return Err(Problem::new(Code::NotSupported, "A login at the destination can't be given yet.")
            .with_fix("Leave out user and password; the hosts use the logins that they are configured with.")
            .into());
    }
    if rdma {
        return Err(Problem::new(Code::NotSupported, "RDMA is not supported yet.")
            .with_fix("Leave out enable_rdma, or send false.")
            .into());
    }
    Ok(destination.to_owned())
}

/// A field that is text, not empty unless it may be.
fn text<'a>(
    body: &'a Map<String, Value>,
    key: &str,
    kimchi: &'static str,
    may_be_empty: bool,
) -> Result<Option<&'a str>, Refused> {
    match body.get(key) {
        None => Ok(None),
        Some(Value::String(text)) if may_be_empty || !text.is_empty() => Ok(Some(text)),
        Some(Value::String(_)) => {
            Err(Refused::from(Problem::new(Code::InvalidInput, format!("{key} is empty."))).known_as(kimchi))
        }
        Some(_) => Err(Refused::from(Problem::new(Code::InvalidInput, format!("{key} is not text."))).known_as(kimchi)),
    }
}
