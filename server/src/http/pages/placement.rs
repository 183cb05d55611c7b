//! `/placement`: the rules for where VMs may be. Plain forms, which need no scripts.

use std::collections::BTreeMap;

use app::{Document, PlacementForm};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use model::{PlacementRules, Problem, VmId};
use port::Principal;

use super::{
    super::{DoorState, Doors, assets::addresses},
    document::{Failed, refused, shown},
};

pub(super) fn router() -> Router<DoorState> {
    Router::new().route("/placement", get(page).post(change))
}

async fn page(State(doors): State<Doors>, Extension(who): Extension<Principal>) -> Result<Response, Failed> {
    let rules = doors.console.placement_rules(&who).await?;
    Ok(shown(document(&doors, &who, rules, PlacementForm::default(), None)))
}

async fn change(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    body: Bytes,
) -> Result<Response, Failed> {
    let form = app::read::<PlacementForm>(&body)?;
    let rules = doors.console.placement_rules(&who).await?;
    Ok(match changed(&doors, &who, &form, rules.clone()).await {
        Ok(()) => Redirect::to("/placement").into_response(),
        Err(problem) => refused(problem.code, document(&doors, &who, rules, form, Some(problem))),
    })
}

async fn changed(doors: &Doors, who: &Principal, form: &PlacementForm, rules: PlacementRules) -> Result<(), Problem> {
    let named = |name: &str| match name.parse::<VmId>() {
        Ok(id) => Ok(id),
        Err(_) => doors.console.find(who, name, None).map(|vm| vm.id),
    };
    let vms = form.vms().map(named).collect::<Result<Vec<_>, _>>()?;
    doors.console.set_placement_rules(who, form.change(rules, vms)?).await
}

fn document(
    doors: &Doors,
    who: &Principal,
    rules: PlacementRules,
    form: PlacementForm,
    problem: Option<Problem>,
) -> Document {
    let ids = rules.rules.iter().flat_map(|rule| &rule.vms).chain(rules.priorities.keys());
    let names: BTreeMap<VmId, String> =
        ids.filter_map(|id| Some((*id, doors.console.vm(who, *id).ok()?.name))).collect();
    app::placement(addresses(), rules, names, form, problem)
}
