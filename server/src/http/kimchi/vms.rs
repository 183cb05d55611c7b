//! `/plugins/kimchi/vms`.

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use model::{Code, HostName, Problem, Vm, VmState};
use port::Principal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Doors, Refused, named::Named};

/// `?host=`: which one is meant where several VMs have one name.
#[derive(Deserialize)]
pub(super) struct On {
    #[serde(default)]
    pub(super) host: Option<HostName>,
}

/// A query, or why it can't be read.
pub(super) type Asked<T> = Result<Query<T>, QueryRejection>;

pub(super) fn query<T>(asked: Asked<T>) -> Result<T, Refused> {
    asked.map(|Query(query)| query).map_err(|error| {
        Problem::new(Code::InvalidInput, "The query in the address can't be read.")
            .with_details(error.body_text())
            .into()
    })
}

/// `GET /vms`, perhaps of one host.
pub(super) async fn list(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    asked: Asked<On>,
) -> Result<Json<Vec<Value>>, Refused> {
    let On { host } = query(asked)?;
    if let Some(host) = &host {
        doors.console.host(&who, host.as_str())?;
    }
    let all = doors.console.snapshot(&who, None)?.vms.into_iter().flat_map(|vm| vm.each());
    Ok(Json(all.filter(|vm| host.as_ref().is_none_or(|host| vm.host == *host)).map(|vm| vm_json(&vm)).collect()))
}

/// `GET /vms/<name>`.
pub(super) async fn one(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Named(name): Named,
    asked: Asked<On>,
) -> Result<Json<Value>, Refused> {
    let On { host } = query(asked)?;
    Ok(Json(vm_json(&doors.console.look(&who, &name, host.as_ref()).await?)))
}

/// A VM with Kimchi's fields, memory in MiB, and ours: where it is, and the task that moves it.
fn vm_json(vm: &Vm) -> Value {
    json!({
        "name": vm.name,
        "uuid": vm.id,
        "state": state(vm.state),
        "persistent": vm.persistent,
        "memory": { "current": vm.memory_now_bytes >> 20, "maxmemory": vm.memory_bytes >> 20 },
        "cpu_info": { "vcpus": vm.vcpus, "maxvcpus": vm.vcpus_max },
        "host": vm.host,
        "twins": vm.twins.iter().map(|twin| &twin.host).collect::<Vec<_>>(),
        "task": vm.migration,
    })
}

/// Kimchi's word for a state (`DOM_STATE_MAP` in its model/vms.py).
fn state(state: VmState) -> &'static str {
    match state {
        VmState::Running => "running",
        VmState::Paused => "paused",
        VmState::ShuttingDown => "shutdown",
        VmState::ShutOff => "shutoff",
        VmState::Crashed => "crashed",
        VmState::Suspended => "pmsuspended",
        VmState::Unknown => "nostate",
    }
}
