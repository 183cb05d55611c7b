//! The pages that change a host: `/hosts/add`, and `/hosts/<name>/` with `edit`, `test`, `remove`, `login` and `key`. Each is a plain
//! form, which needs no scripts.

use app::{Document, HostForm, HostLoginForm, KeyForm};
use axum::{
    Extension, RequestPartsExt, Router,
    body::Bytes,
    extract::{FromRequestParts, Path, Query, State},
    http::request::Parts,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use model::{Code, HostLogin, HostName, NewHost, Problem, RegisteredHost};
use port::Principal;
use serde::Deserialize;

use super::{
    super::{DoorState, Doors, assets::addresses, guard::own_page},
    document::{Failed, refused, shown},
};

/// The page that lists the hosts.
const HOSTS: &str = "/hosts";

pub(super) fn router() -> Router<DoorState> {
    Router::new()
        .route("/hosts/add", get(add_page).post(add))
        .route("/hosts/{name}/edit", get(edit_page).post(edit))
        .route("/hosts/{name}/test", get(test_page).post(test))
        .route("/hosts/{name}/remove", get(remove_page).post(remove))
        .route("/hosts/{name}/login", get(log_in_page).post(log_in))
        .route("/hosts/{name}/key", get(key_page).post(key))
}

/// The registered host that the address names, and who asks for it.
struct Registered {
    doors: Doors,
    who: Principal,
    host: RegisteredHost,
}

impl Registered {
    fn name(&self) -> &HostName {
        &self.host.settings.name
    }

    fn shown(&self, page: impl FnOnce(&RegisteredHost) -> Document) -> Response {
        shown(page(&self.host))
    }
}

impl FromRequestParts<DoorState> for Registered {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &DoorState) -> Result<Self, Response> {
        let Extension(who) = parts.extract().await.map_err(IntoResponse::into_response)?;
        let Path(name): Path<String> = parts.extract().await.map_err(IntoResponse::into_response)?;
        let doors = state.doors.clone();
        let host = registered(&doors, &who, &name).map_err(|problem| Failed::from(problem).into_response())?;
        Ok(Self { doors, who, host })
    }
}

fn registered(doors: &Doors, who: &Principal, name: &str) -> Result<RegisteredHost, Problem> {
    let mut hosts = doors.console.registered(who)?.into_iter();
    hosts.find(|host| host.settings.name.as_str() == name).ok_or_else(|| {
        Problem::new(Code::UnknownHost, "No host with this name is registered.")
            .with_fix("Choose one from the list of hosts.")
    })
}

/// On to the next page once it is done; else the form again, with what is wrong.
fn onward(done: Result<(), Problem>, next: &str, again: impl FnOnce(Problem) -> Document) -> Response {
    match done {
        Ok(()) => Redirect::to(next).into_response(),
        Err(problem) => refused(problem.code, again(problem)),
    }
}

async fn add_page() -> Response {
    shown(app::add_host(addresses(), &HostForm::default(), None))
}

async fn add(State(doors): State<Doors>, Extension(who): Extension<Principal>, body: Bytes) -> Response {
    let form = app::read::<HostForm>(&body);
    let host = form.as_ref().map_err(Problem::clone).and_then(HostForm::host);
    let next = host.as_ref().map_or(HOSTS.to_owned(), |host| format!("{HOSTS}?added={}", host.settings.name));
    let added = match host {
        Ok(host) => doors.console.add_host(&who, host).await,
        Err(problem) => Err(problem),
    };
    onward(added, &next, |problem| app::add_host(addresses(), &form.unwrap_or_default(), Some(problem)))
}

async fn edit_page(at: Registered) -> Response {
    let form = HostForm::from(at.host.settings.clone());
    at.shown(|host| app::edit_host(addresses(), host, &form, None))
}

async fn edit(at: Registered, body: Bytes) -> Result<Response, Failed> {
    let form = app::read::<HostForm>(&body)?;
    let changed = match form.host() {
        Ok(changed) => at.doors.console.change_host(&at.who, at.name(), changed).await,
        Err(problem) => Err(problem),
    };
    Ok(onward(changed, HOSTS, |problem| app::edit_host(addresses(), &at.host, &form, Some(problem))))
}

async fn test_page(at: Registered) -> Response {
    at.shown(|host| app::test_host(addresses(), host, None))
}

async fn test(at: Registered) -> Response {
    let as_it_is = NewHost { settings: at.host.settings.clone(), login: HostLogin::default() };
    let result = at.doors.console.test_host(&at.who, as_it_is).await;
    let code = result.as_ref().err().map(|problem| problem.code);
    let page = app::test_host(addresses(), &at.host, Some(result));
    match code {
        Some(code) => refused(code, page),
        None => shown(page),
    }
}

async fn remove_page(at: Registered) -> Response {
    at.shown(|host| app::remove_host(addresses(), host, None))
}

async fn remove(at: Registered) -> Response {
    let removed = at.doors.console.remove_host(&at.who, at.name()).await;
    onward(removed, HOSTS, |problem| app::remove_host(addresses(), &at.host, Some(problem)))
}

/// `?next=`: the page to go to after a login.
#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

async fn log_in_page(at: Registered, Query(Next { next }): Query<Next>) -> Response {
    at.shown(|host| app::log_in_at_host(addresses(), host, &HostLoginForm::on_the_way_to(next), None))
}

async fn log_in(at: Registered, body: Bytes) -> Result<Response, Failed> {
    let form = app::read::<HostLoginForm>(&body)?;
    let done = at.doors.console.log_in_at_host(&at.who, at.name(), form.login()).await;
    let next = own_page(&form.next).unwrap_or(HOSTS);
    Ok(onward(done, next, |problem| app::log_in_at_host(addresses(), &at.host, &form, Some(problem))))
}

async fn key_page(at: Registered) -> Response {
    at.shown(|host| app::key_login(addresses(), host, &HostLoginForm::default(), None))
}

async fn key(at: Registered, body: Bytes) -> Result<Response, Failed> {
    let (form, KeyForm { remove }) = (app::read::<HostLoginForm>(&body)?, app::read(&body)?);
    let done = if remove {
        at.doors.console.remove_key(&at.who, at.name(), form.login()).await
    } else {
        at.doors.console.set_up_key(&at.who, at.name(), form.login()).await
    };
    Ok(onward(done, HOSTS, |problem| app::key_login(addresses(), &at.host, &form, Some(problem))))
}
