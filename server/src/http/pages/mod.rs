//! The pages: Leptos renders them, the guard has let the visitor through before.

mod ad_hoc_destination;
pub(super) mod forms;
mod hosts;

use std::sync::LazyLock;

use app::{App, StatusOf};
use axum::{
    Router,
    extract::Request,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use leptos::{nonce::Nonce, prelude::*};
use leptos_axum::{AxumRouteListing, LeptosRoutes, generate_route_list};
use model::{Code, Problem};

use super::{DoorState, Doors, Refused, assets, status};

/// Where the pages are. Found out once, before the first page is rendered: while Leptos looks for them, whatever page in the process begins
/// to load something waits for ever (leptos issue 4773), and tests have many routers in one process.
static ROUTES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));

/// Adds the pages, the functions they call, and the files they need.
pub(super) fn add(router: Router<DoorState>, doors: &Doors) -> Router<DoorState> {
    let state = DoorState {
        leptos: LeptosOptions::builder().output_name("vmferry").build(),
        streams: Default::default(),
        doors: doors.clone(),
    };
    let context = context(doors);
    // Leptos adds the functions' own routes, too: POST /_fn/app/<subject>/server_fns/<verb>.
    router
        .leptos_routes_with_context(&state, ROUTES.clone(), context.clone(), app::shell)
        .fallback(move |request: Request| everything_else(context.clone(), request))
}

/// What pages and the functions they call find in their context.
fn context(doors: &Doors) -> impl Fn() + Clone + Send + Sync + 'static {
    let console = doors.console.clone();
    let assets = assets::addresses();
    move || {
        provide_context(console.clone());
        provide_context(assets.clone());
        provide_context(StatusOf(status::of));
        // The one that the headers name; Leptos has already made another.
        if let Some(nonce) = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Nonce>().cloned()) {
            provide_context(nonce);
        }
    }
}

/// A file, or what is at an address where there is nothing.
async fn everything_else(context: impl Fn() + Clone + Send + Sync + 'static, request: Request) -> Response {
    if let Some(file) = assets::serve(&request) {
        return file;
    }
    let accept = request.headers().get(axum::http::header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        return leptos_axum::render_app_async_with_context(context, app::shell)(request).await;
    }
    Refused::from(Problem::new(Code::NotFound, "There is nothing at this address.")).into_response()
}
