//! Plans and evacuations: `/hosts/<name>/empty`, `/plans`, `/plans/<id>`, `/evacuations`, and what evacuations and hosts in maintenance
//! are told. Plain forms, which need no scripts.

use app::PlanForm;
use axum::{
    Extension, Router,
    body::Bytes,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use model::{
    Chosen, Code, EvacuationCommand, EvacuationId, Host, HostName, MaintenanceCommand, Plan, PlanId, Problem, Scope,
    VmId, VmQuery, Window,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use port::Principal;
use serde::Deserialize;

use super::{
    super::{DoorState, Doors, assets::addresses},
    document::{Failed, refused, shown},
    selection::{Sent, fields},
};

/// How many evacuations are listed.
const LISTED: u32 = 100;

pub(super) fn router() -> Router<DoorState> {
    Router::new()
        .route("/hosts/{name}/empty", get(empty_page))
        .route("/hosts/{name}/maintenance", post(maintain))
        .route("/plans", get(async || Redirect::to("/evacuations")).post(make_plan))
        .route("/plans/form", post(move_page).get(async || Redirect::to("/")))
        .route("/plans/{id}", get(plan_page))
        .route("/plans/{id}/carry-out", post(carry_out))
        .route("/evacuations", get(list))
        .route("/evacuations/{id}/stop", get(stop_page))
        .route("/evacuations/{id}/tell", post(tell))
}

fn hosts(doors: &Doors, who: &Principal) -> Result<Vec<Host>, Problem> {
    Ok(doors.console.snapshot(who, Some(Scope { hosts: true, ..Scope::default() }))?.hosts)
}

async fn empty_page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let hosts = hosts(&doors, &who)?;
    let name: HostName = name.parse()?;
    if !hosts.iter().any(|host| host.name == name) {
        return Err(Problem::new(Code::UnknownHost, "No host has this name.").into());
    }
    Ok(shown(app::plan_form(addresses(), &PlanForm::emptying(&name), &hosts, None)))
}

/// The form for the VMs that were chosen in a list.
async fn move_page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    sent: Sent,
) -> Result<Response, Failed> {
    let fields = fields(sent)?;
    let form = match fields.chosen()? {
        Chosen::Matching { except, .. } => PlanForm::moving_all(fields.list(), &except),
        Chosen::Vms(vms) => moving(&vms)?.within(fields.list()),
        Chosen::Again(id) => {
            let vms = doors.console.selection(&who, id)?.vms;
            // The others were gone already.
            moving(&vms.iter().filter(|vm| vm.host.is_some()).map(|vm| vm.id).collect::<Vec<_>>())?
        }
    };
    Ok(shown(app::plan_form(addresses(), &form, &hosts(&doors, &who)?, None)))
}

fn moving(vms: &[VmId]) -> Result<PlanForm, Problem> {
    if vms.is_empty() {
        return Err(Problem::new(Code::InvalidInput, "No VM is selected.").with_fix("Tick some in the list."));
    }
    Ok(PlanForm::moving(vms))
}

async fn make_plan(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    body: Bytes,
) -> Result<Response, Failed> {
    let form = app::read::<PlanForm>(&body)?;
    Ok(match planned(&doors, &who, &form).await {
        Ok(plan) => Redirect::to(&address(plan.id, &form)).into_response(),
        Err(problem) => {
            let hosts = hosts(&doors, &who)?;
            refused(problem.code, app::plan_form(addresses(), &form, &hosts, Some(problem)))
        }
    })
}

async fn planned(doors: &Doors, who: &Principal, form: &PlanForm) -> Result<Plan, Problem> {
    let matching = form.query()?.map(|query| matching(doors, who, query)).transpose()?;
    doors.console.plan(who, form.request(matching)?).await
}

/// All VMs that a list shows.
fn matching(doors: &Doors, who: &Principal, query: VmQuery) -> Result<Vec<VmId>, Problem> {
    let mut found = Vec::new();
    loop {
        let from = u32::try_from(found.len()).unwrap_or(u32::MAX);
        let window = Window { query: query.clone(), from, count: Window::LARGEST };
        let list = doors.console.snapshot(who, Some(Scope { list: Some(window), ..Scope::default() }))?.list;
        let Some(list) = list.filter(|list| !list.rows.is_empty()) else { return Ok(found) };
        let is_all = from.saturating_add(Window::LARGEST) >= list.matching;
        found.extend(list.rows.into_iter().map(|row| row.vm));
        if is_all {
            found.sort_unstable();
            found.dedup();
            return Ok(found);
        }
    }
}

/// Of a plan: the list in which its VMs were chosen.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ChosenIn {
    list: String,
}

/// The plan's page, which leads back to the list in which its VMs were chosen.
fn address(id: PlanId, form: &PlanForm) -> String {
    let list = form.list().map(|list| format!("?list={}", utf8_percent_encode(list, NON_ALPHANUMERIC)));
    format!("/plans/{id}{}", list.unwrap_or_default())
}

async fn plan_page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(id): Path<String>,
    Query(ChosenIn { list }): Query<ChosenIn>,
) -> Result<Response, Failed> {
    let plan = doors.console.kept_plan(&who, id.parse()?).await?;
    Ok(shown(app::plan(addresses(), plan, &list, None)))
}

async fn carry_out(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Failed> {
    let id: PlanId = id.parse()?;
    let ChosenIn { list } = app::read(&body)?;
    let plan = doors.console.kept_plan(&who, id).await?;
    Ok(match doors.console.carry_out(&who, id).await {
        Ok(evacuation) => Redirect::to(&format!("/evacuations/{}", evacuation.id)).into_response(),
        Err(problem) => refused(problem.code, app::plan(addresses(), plan, &list, Some(problem))),
    })
}

async fn list(State(doors): State<Doors>, Extension(who): Extension<Principal>) -> Result<Response, Failed> {
    let evacuations = doors.console.evacuations(&who, LISTED).await?;
    Ok(shown(app::evacuations(addresses(), evacuations)))
}

async fn stop_page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Failed> {
    let (evacuation, _) = doors.console.evacuation(&who, id.parse()?).await?;
    Ok(shown(app::stop_evacuation(addresses(), &evacuation)))
}

/// What an evacuation is told.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    command: String,
    vm: Option<VmId>,
    /// Of a stop: whether migrations under way are cancelled.
    cancel: bool,
}

impl Told {
    fn command(&self) -> Result<EvacuationCommand, Problem> {
        Ok(match (self.command.as_str(), self.vm) {
            ("pause", _) => EvacuationCommand::Pause,
            ("continue", _) => EvacuationCommand::Continue,
            ("stop", _) => EvacuationCommand::Stop { cancel: self.cancel },
            ("skip", Some(vm)) => EvacuationCommand::Skip(vm),
            ("retry", Some(vm)) => EvacuationCommand::Retry(vm),
            ("first", Some(vm)) => EvacuationCommand::First(vm),
            _ => return Err(Problem::new(Code::InvalidInput, "This is nothing that an evacuation can be told.")),
        })
    }

    /// Where on the page the browser goes on.
    fn place(&self) -> String {
        self.vm.map(|vm| format!("#vm-{vm}")).unwrap_or_default()
    }
}

async fn tell(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Failed> {
    let id: EvacuationId = id.parse()?;
    let told = app::read::<Told>(&body)?;
    Ok(match doors.console.tell(&who, id, told.command()?).await {
        Ok(_) => Redirect::to(&format!("/evacuations/{id}{}", told.place())).into_response(),
        Err(problem) => refused(problem.code, app::evacuation_refused(addresses(), id, problem)),
    })
}

/// What is said of a host.
#[derive(Deserialize)]
struct Maintained {
    command: MaintenanceCommand,
}

async fn maintain(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response, Failed> {
    let name: HostName = name.parse()?;
    let Maintained { command } = app::read(&body)?;
    Ok(match doors.console.set_maintenance(&who, &name, command).await {
        Ok(()) => Redirect::to(&format!("/hosts/{name}")).into_response(),
        Err(problem) => refused(problem.code, app::maintenance_refused(addresses(), &name, problem)),
    })
}
