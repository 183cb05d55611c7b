//! `/vms/<uuid>/xml`: a VM's definition.

use app::vm_xml;
use axum::{
    Extension, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use port::Principal;

use super::{
    super::{DoorState, Doors, assets::addresses, named::Named, status, vms::parse},
    document::{Failed, shown},
};

pub(super) fn router() -> Router<DoorState> {
    Router::new().route("/vms/{id}/xml", get(page))
}

async fn page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
) -> Result<Response, Failed> {
    let id = parse(&named)?;
    let vm = doors.console.vm(&who, id)?;
    let definition = doors.console.definition(&who, id).await;
    let refused = definition.as_ref().err().map(|problem| problem.code);
    let document = shown(vm_xml(addresses(), &vm, definition));
    Ok(match refused {
        Some(code) => (status::of(code), document).into_response(),
        None => document,
    })
}
