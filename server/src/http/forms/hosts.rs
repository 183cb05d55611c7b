//! `/hosts/add`, and `/hosts/<name>/` with `edit`, `test`, `remove`, `login` and `key`.

use app::{
    console::Principal,
    plain::{self, HostForm, KeyForm, LoginForm},
};
use axum::{
    Extension,
    body::Bytes,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use model::{Code, Problem, RegisteredHost};
use serde::Deserialize;

use super::{
    super::{Doors, assets::addresses, guard::own_page},
    Failed, refused, shown,
};

/// The page that lists the hosts.
const HOSTS: &str = "/hosts";

fn registered(doors: &Doors, who: &Principal, name: &str) -> Result<RegisteredHost, Problem> {
    let mut hosts = doors.console.registered(who)?.into_iter();
    hosts.find(|host| host.settings.name.as_str() == name).ok_or_else(|| {
        Problem::new(Code::UnknownHost, "No host of this name is registered.")
            .with_fix("Look at the list of hosts again.")
    })
}

pub(super) async fn add_page() -> Response {
    shown(plain::add_host(addresses(), &HostForm::default(), None))
}

pub(super) async fn add(State(doors): State<Doors>, Extension(who): Extension<Principal>, body: Bytes) -> Response {
    let form = plain::read::<HostForm>(&body);
    let added = match &form {
        Ok(form) => match form.host() {
            Ok(host) => doors.console.add_host(&who, host).await,
            Err(problem) => Err(problem),
        },
        Err(problem) => Err(problem.clone()),
    };
    match added {
        Ok(()) => Redirect::to(HOSTS).into_response(),
        Err(problem) => refused(problem.code, plain::add_host(addresses(), &form.unwrap_or_default(), Some(problem))),
    }
}

pub(super) async fn edit_page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let host = registered(&doors, &who, &name)?;
    let form = HostForm::from(host.settings.clone());
    Ok(shown(plain::edit_host(addresses(), &host, &form, None)))
}

pub(super) async fn edit(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response, Failed> {
    let host = registered(&doors, &who, &name)?;
    let form = plain::read::<HostForm>(&body)?;
    let changed = match form.host() {
        Ok(changed) => doors.console.change_host(&who, &host.settings.name, changed).await,
        Err(problem) => Err(problem),
    };
    Ok(match changed {
        Ok(()) => Redirect::to(HOSTS).into_response(),
        Err(problem) => refused(problem.code, plain::edit_host(addresses(), &host, &form, Some(problem))),
    })
}

pub(super) async fn test_page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let host = registered(&doors, &who, &name)?;
    Ok(shown(plain::test_host(addresses(), &host, None)))
}

pub(super) async fn test(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let host = registered(&doors, &who, &name)?;
    let new = model::NewHost { settings: host.settings.clone(), login: model::HostLogin::default() };
    let result = doors.console.test_host(&who, new).await;
    let code = result.as_ref().err().map(|problem| problem.code);
    let page = plain::test_host(addresses(), &host, Some(result));
    Ok(match code {
        Some(code) => refused(code, page),
        None => shown(page),
    })
}

pub(super) async fn remove_page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let host = registered(&doors, &who, &name)?;
    Ok(shown(plain::remove_host(addresses(), &host, None)))
}

pub(super) async fn remove(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let host = registered(&doors, &who, &name)?;
    Ok(match doors.console.remove_host(&who, &host.settings.name).await {
        Ok(()) => Redirect::to(HOSTS).into_response(),
        Err(problem) => refused(problem.code, plain::remove_host(addresses(), &host, Some(problem))),
    })
}

/// `?next=`: the page to go to after a login.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

pub(super) async fn log_in_page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(name): Path<String>,
    Query(Next { next }): Query<Next>,
) -> Result<Response, Failed> {
    let host = registered(&doors, &who, &name)?;
    Ok(shown(plain::log_in_at_host(addresses(), &host, &LoginForm::on_the_way_to(next), None)))
}

pub(super) async fn log_in(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response, Failed> {
    let host = registered(&doors, &who, &name)?;
    let form = plain::read::<LoginForm>(&body)?;
    Ok(match doors.console.log_in_at_host(&who, &host.settings.name, form.login()).await {
        Ok(()) => Redirect::to(own_page(&form.next).unwrap_or(HOSTS)).into_response(),
        Err(problem) => refused(problem.code, plain::log_in_at_host(addresses(), &host, &form, Some(problem))),
    })
}

pub(super) async fn key_page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Response, Failed> {
    let host = registered(&doors, &who, &name)?;
    Ok(shown(plain::host_key_login(addresses(), &host, &LoginForm::default(), None)))
}

pub(super) async fn key(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Response, Failed> {
    let host = registered(&doors, &who, &name)?;
    let (form, KeyForm { remove }) = (plain::read::<LoginForm>(&body)?, plain::read(&body)?);
    let done = if remove {
        doors.console.remove_key(&who, &host.settings.name, form.login()).await
    } else {
        doors.console.set_up_key(&who, &host.settings.name, form.login()).await
    };
    Ok(match done {
        Ok(()) => Redirect::to(HOSTS).into_response(),
        Err(problem) => refused(problem.code, plain::host_key_login(addresses(), &host, &form, Some(problem))),
    })
}
