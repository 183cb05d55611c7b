//! The pages. Leptos renders them: those of [`App`] by their address, those that need no scripts as whole documents, a file a subject.
//! The guard (`guard.rs`) has let only users through who are logged in.

mod account;
mod ad_hoc_destination;
mod document;
mod evacuations;
mod form_refusals;
mod help;
mod hosts;
mod placement;
mod predictions;
mod prepared;
mod selection;
mod terminals;
mod vms;

use std::sync::LazyLock;

use app::{App, LoginRefusal, StatusOf};
use axum::{
    Router,
    extract::Request,
    http::request::Parts,
    middleware::{from_fn, from_fn_with_state},
    response::{Html, IntoResponse, Response},
};
use leptos::{nonce::Nonce, prelude::*};
use leptos_axum::{AxumRouteListing, LeptosRoutes, generate_route_list};

use super::{DoorState, Doors, assets, nothing_here, status};

/// The addresses of all pages of [`App`]. Found out once, before the first page is rendered: while Leptos looks for them, any page
/// in the process that begins to load something waits for ever (leptos issue 4773), and tests have many routers in one process.
static ROUTES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(App));

/// The pages for users who are logged in, the functions they call, and the answer where there is no page.
pub(super) fn router(state: &DoorState) -> Router<DoorState> {
    let context = context(&state.doors);
    // Leptos adds the functions' own routes, too: POST /_fn/app/<subject>/server_fns/<verb>.
    Router::new()
        .leptos_routes_with_context(state, ROUTES.clone(), context.clone(), app::shell)
        .layer(from_fn_with_state(state.doors.clone(), prepared::prepare))
        .merge(account::router())
        .merge(help::router())
        .merge(hosts::router())
        .merge(evacuations::router())
        .merge(placement::router())
        .merge(ad_hoc_destination::router())
        .merge(predictions::router())
        .merge(vms::router())
        .merge(selection::router())
        .merge(terminals::router())
        .fallback(move |request: Request| everything_else(context, request))
        .layer(from_fn(form_refusals::only_codes))
}

/// The login page: the only one without a login. With the name as it was typed.
pub(super) fn login(doors: &Doors, username: String, next: &str, refusal: Option<LoginRefusal>) -> Html<String> {
    let assets = app::Assets { simulated: doors.site.simulated, ..assets::addresses() };
    Html(app::login(assets, username, next.to_owned(), refusal).into_html())
}

/// What pages and the functions they call find in their context.
fn context(doors: &Doors) -> impl Fn() + Clone + Send + Sync + 'static {
    let console = doors.console.clone();
    let assets = app::Assets { simulated: doors.site.simulated, ..assets::addresses() };
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

/// The answer where there is nothing: a page for browsers, a refusal for programs.
async fn everything_else(context: impl Fn() + Clone + Send + Sync + 'static, request: Request) -> Response {
    let accept = request.headers().get(axum::http::header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        return leptos_axum::render_app_async_with_context(context, app::shell)(request).await;
    }
    nothing_here().await.into_response()
}
