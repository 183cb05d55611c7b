//! The pages: Leptos renders them, the guard has let the visitor through before.

use std::time::Duration;

use app::App;
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Method, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use leptos::{nonce::Nonce, prelude::*};
use leptos_axum::{LeptosRoutes, generate_route_list};
use model::{Code, Problem};
use tokio::time::timeout;

use super::{DoorState, Doors, Refused, assets};

/// What rendering a page may take: looking at all hosts for a migration takes up to 8 s.
const PAGE_LIMIT: Duration = Duration::from_secs(10);

/// Adds the pages, the functions they call, and the files they need.
pub(super) fn add(router: Router<DoorState>, doors: &Doors) -> Router<DoorState> {
    let state = DoorState {
        leptos: LeptosOptions::builder().output_name("vmferry").build(),
        streams: Default::default(),
        doors: doors.clone(),
    };
    let context = context(doors);
    // Leptos adds the functions' own routes, too: POST /_fn/app/api/<noun>/<verb>.
    router
        .leptos_routes_with_context(&state, generate_route_list(App), context.clone(), app::shell)
        .layer(middleware::from_fn(again_if_it_hangs))
        .fallback(move |request: Request| everything_else(context.clone(), request))
}

/// Renders a page once more where nothing has come of it: Leptos now and then waits for ever while several pages are rendered at once
/// (leptos issue 4866). To render a page changes nothing.
async fn again_if_it_hangs(request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let (parts, _) = request.into_parts();
    let once_more = || Request::from_parts(parts.clone(), Body::empty());
    for _ in 0..2 {
        if let Ok(response) = timeout(PAGE_LIMIT, next.clone().run(once_more())).await {
            return response;
        }
        tracing::warn!(path = parts.uri.path(), "a page hung and is rendered again");
    }
    next.run(once_more()).await
}

/// What pages and the functions they call find in their context.
fn context(doors: &Doors) -> impl Fn() + Clone + Send + Sync + 'static {
    let console = doors.console.clone();
    let assets = assets::addresses();
    move || {
        provide_context(console.clone());
        provide_context(assets.clone());
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
