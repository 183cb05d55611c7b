//! `/vms/<id>/elsewhere`: a VM moves to an ad-hoc destination. A plain form, which needs no scripts.

use app::{AdHocForm, Came, Document};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use model::{Destination, MigrationRequest, Scope, Snapshot, Vm};
use port::Principal;

use super::{
    super::{DoorState, Doors, assets::addresses},
    document::{Failed, refused, shown},
};

pub(super) fn router() -> Router<DoorState> {
    Router::new().route("/vms/{id}/elsewhere", get(page).post(start))
}

async fn page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let vm = doors.console.vm(&who, id.parse()?)?;
    let snapshot = doors.console.snapshot(&who, Some(Scope { vm: Some(vm.id), ..Scope::default() }))?;
    Ok(shown(document(&snapshot, &vm, &AdHocForm::default(), Came::Nothing)))
}

async fn start(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Failed> {
    let vm = doors.console.vm(&who, id.parse()?)?;
    let snapshot = doors.console.snapshot(&who, Some(Scope { vm: Some(vm.id), ..Scope::default() }))?;
    let form = app::read::<AdHocForm>(&body)?;
    let asked = form.asked(&vm);
    if let (true, Ok(MigrationRequest { vm: id, destination: Destination::Address(to), options, .. })) =
        (form.is_check(), &asked)
    {
        let checked = doors.console.check(&who, *id, to.clone(), options.clone()).await;
        return Ok(match checked {
            Ok(preflight) => shown(document(&snapshot, &vm, &form, Came::Checked(preflight.findings))),
            Err(problem) => refused(problem.code, document(&snapshot, &vm, &form, Came::Refused(problem))),
        });
    }
    let started = match asked {
        Ok(request) => doors.console.start(&who, request).await,
        Err(problem) => Err(problem),
    };
    Ok(match started {
        Ok(migration) => Redirect::to(&format!("/migrations/{}", migration.id)).into_response(),
        Err(problem) => refused(problem.code, document(&snapshot, &vm, &form, Came::Refused(problem))),
    })
}

fn document(snapshot: &Snapshot, vm: &Vm, form: &AdHocForm, came: Came) -> Document {
    let source = snapshot.hosts.iter().find(|host| host.name == vm.host);
    app::ad_hoc_destination(addresses(), vm, source, form, came)
}
