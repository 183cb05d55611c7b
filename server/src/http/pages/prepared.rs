//! Parts of pages that have to be waited for, made before the page is rendered: Leptos renders what is in memory at once.

use std::time::Duration;

use app::{
    Prepared, VmPart, evacuation_now, host_facts, host_stage, migration_kept, migration_list, open_evacuations, vm_part,
};
use axum::{
    extract::{Query, Request, State},
    http::{Method, Uri},
    middleware::Next,
    response::{IntoResponse, Response},
};
use model::{Code, HostName, MigrationQuery, Problem, VmId};
use port::Principal;
use tokio::time::timeout;

use super::super::{Doors, status};

/// How long the page of a VM, or of a host, waits for the host. The browser asks again for what took longer.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// The layer around pages.
pub(super) async fn prepare(State(doors): State<Doors>, mut request: Request, next: Next) -> Response {
    let made = match request.extensions().get::<Principal>().cloned() {
        Some(who) if request.method() == Method::GET => make(&doors, who, request.uri().clone()).await,
        _ => None,
    };
    let refused = match made {
        None => None,
        Some(Ok(html)) => {
            request.extensions_mut().insert(Prepared(html));
            None
        }
        Some(Err(problem)) => {
            let code = problem.code;
            request.extensions_mut().insert(Prepared(vec![app::refused(problem)]));
            Some(code)
        }
    };
    let response = next.run(request).await;
    match refused {
        Some(code) if response.status().is_success() => (status::of(code), response).into_response(),
        _ => response,
    }
}

async fn make(doors: &Doors, who: Principal, page: Uri) -> Option<Result<Vec<String>, Problem>> {
    if let Some(vm) = page.path().strip_prefix("/vms/") {
        // What is no VM is told by the page itself.
        return Some(Ok(of_vm(doors, &who, vm.parse().ok()?).await));
    }
    if let Some(name) = page.path().strip_prefix("/hosts/") {
        // What is no host is told by the page itself.
        return Some(Ok(of_host(doors, who, name.parse().ok()?).await));
    }
    let console = doors.console.clone();
    if page.path() == "/" {
        // The list is shown all the same.
        return Some(Ok(vec![open_evacuations(console, who).await.unwrap_or_default()]));
    }
    if let Some(id) = page.path().strip_prefix("/evacuations/") {
        return Some(match id.parse() {
            Ok(id) => evacuation_now(console, who, id).await.map(|html| vec![html]),
            Err(problem) => Err(problem),
        });
    }
    match page.path().strip_prefix("/migrations")? {
        "" => match Query::<MigrationQuery>::try_from_uri(&page) {
            Ok(Query(query)) => Some(migration_list(console, who, query).await.map(|html| vec![html])),
            Err(error) => Some(Err(
                Problem::new(Code::InvalidInput, "This address can't be read.").with_details(error.to_string())
            )),
        },
        // What is no migration is told by the page itself.
        id => match id.strip_prefix('/')?.parse() {
            Ok(id) => migration_kept(console, who, id).await.ok().map(|(kept, picture)| Ok(vec![kept, picture])),
            Err(_) => None,
        },
    }
}

/// What a host's page shows of it, unless that takes longer: the browser asks for it.
async fn of_host(doors: &Doors, who: Principal, name: HostName) -> Vec<String> {
    let console = &doors.console;
    let facts = timeout(PATIENCE, host_facts(console.clone(), who.clone(), name.clone())).await;
    let stage = host_stage(console.clone(), who, name).await;
    vec![facts.ok().and_then(Result::ok).unwrap_or_default(), stage.unwrap_or_default()]
}

/// The parts of a VM's page. One that is not there in time, or is refused, is empty: the browser asks for it.
async fn of_vm(doors: &Doors, who: &Principal, id: VmId) -> Vec<String> {
    let part = async |part| {
        let made = timeout(PATIENCE, vm_part(doors.console.clone(), who.clone(), id, part)).await;
        made.ok().and_then(Result::ok).unwrap_or_default()
    };
    vec![part(VmPart::Facts).await, part(VmPart::Usage).await, part(VmPart::Migrations).await]
}
