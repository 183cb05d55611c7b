//! The doors: one router of a few kinds of doors. [`router`] says who may pass which, and what every request goes through.

mod assets;
mod body;
mod client;
mod evacuations;
mod export;
mod guard;
mod headers;
mod health;
mod host;
mod hosts;
mod json;
mod kimchi;
mod login;
mod migrations;
mod named;
mod pages;
mod placement;
mod refused;
mod status;
mod terminal;
#[cfg(test)]
mod tests;
mod vms;
mod ws;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::FromRef,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state, map_response},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use leptos::config::LeptosOptions;
use model::{Code, Problem};
use port::SharedConsole;
use tokio_util::sync::CancellationToken;
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{Predicate, SizeAbove},
    },
    csrf::CsrfLayer,
    timeout::TimeoutLayer,
    trace::TraceLayer,
};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};

use crate::auth::{Auth, COOKIE, CookieSessions, PLAIN_COOKIE};
pub use client::PublicUrl;
use guard::Guard;
pub use host::{Names, is_name};
use refused::{Refused, as_kimchi, as_problem};

/// How long any answer may take to begin, before the caller gets a bare 504: starting or stopping a VM may take 30 s, nothing takes
/// longer. What follows the head, a page's body or a stream, is not limited by it.
const ANSWER_LIMIT: Duration = Duration::from_secs(45);

/// How the console is reached.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Whether browsers speak HTTPS with it, directly or through a proxy.
    pub https: bool,
    /// The address people use, where a proxy makes it another than the one in the request.
    pub public_url: Option<PublicUrl>,
    /// The proxy: it is believed about where a request comes from, and no other address is admitted.
    pub proxy: Option<IpAddr>,
    /// The names under which the console answers, where no proxy is in front of it.
    pub names: Names,
    /// Whether its hosts are simulated, which every page then says.
    pub simulated: bool,
    /// Where the console keeps its data, for the help page.
    pub data_directory: Option<String>,
}

impl Site {
    /// The session cookie's name. Without HTTPS the console listens on this machine's own addresses only (`config.rs`).
    fn cookie(&self) -> &'static str {
        if self.https { COOKIE } else { PLAIN_COOKIE }
    }
}

/// What the doors lead to.
#[derive(Clone)]
pub struct Doors {
    /// The port.
    pub console: SharedConsole,
    /// Users, passwords and sessions.
    pub auth: Auth,
    /// How the console is reached.
    pub site: Site,
    /// Whether every host was tried, for programs that wait for the start.
    pub ready: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Ends the streams.
    pub stop: CancellationToken,
}

#[derive(Clone)]
struct DoorState {
    doors: Doors,
    streams: ws::Streams,
    leptos: LeptosOptions,
}

impl FromRef<DoorState> for LeptosOptions {
    fn from_ref(state: &DoorState) -> Self {
        state.leptos.clone()
    }
}

impl FromRef<DoorState> for Doors {
    fn from_ref(state: &DoorState) -> Self {
        state.doors.clone()
    }
}

impl FromRef<DoorState> for ws::Streams {
    fn from_ref(state: &DoorState) -> Self {
        state.streams.clone()
    }
}

/// All doors. The service needs the peer's address: `into_make_service_with_connect_info::<SocketAddr>()`.
///
/// Doors of one kind are one router, with the layers that this kind needs around it: who may pass ([`guard`]) and how a refusal is
/// written ([`refused`]). A router that is nested also answers for what is not there below its address. Of layers, the last is the
/// first to see a request.
pub fn router(doors: Doors) -> Router {
    let state = DoorState {
        leptos: LeptosOptions::builder().output_name("vmferry").build(),
        streams: ws::Streams::default(),
        doors,
    };
    let compressed = SizeAbove::new(512).and(is_text);
    Router::new()
        .merge(health())
        .merge(entrance(&state))
        .nest(
            "/plugins",
            programs(Router::new().nest("/kimchi", kimchi::router()), &state).layer(map_response(as_kimchi)),
        )
        .nest("/api", programs(api(), &state).layer(map_response(as_problem)))
        .merge(stream(&state))
        .merge(pages(&state))
        .with_state(state.clone())
        .layer(map_response(status::retry_after))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER_LIMIT))
        .layer(CompressionLayer::new().compress_when(compressed))
        .layer(from_fn_with_state(state, headers::add))
        // Each failure is logged where it happens; a 503 of /healthz is no error.
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
}

/// For everyone, not only through the proxy: whether the console works.
fn health() -> Router<DoorState> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .method_not_allowed_fallback(wrong_method)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(map_response(as_problem))
}

/// vmferry's own API.
fn api() -> Router<DoorState> {
    Router::new()
        .nest("/hosts", hosts::router())
        .nest("/migrations", migrations::router())
        .nest("/vms", vms::router())
        .nest("/evacuations", evacuations::router())
        .route("/placement", placement::routes())
        .route("/predictions", get(migrations::predictions))
}

/// For everyone: to log in and out. wok has the same doors, so that their refusals are in its shape.
fn entrance(state: &DoorState) -> Router<DoorState> {
    let login_page = get(login::page).layer(from_fn_with_state(state.clone(), guard::only_strangers));
    let entrance = Router::new()
        .route("/login", login_page.post(login::log_in))
        .route("/logout", post(login::log_out))
        .method_not_allowed_fallback(wrong_method);
    checked(entrance, state).layer(map_response(as_kimchi))
}

/// For programs that are logged in. The caller adds the layer that writes refusals.
fn programs(router: Router<DoorState>, state: &DoorState) -> Router<DoorState> {
    let router = router
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state((state.doors.clone(), Guard::PROGRAMS), guard::only_users));
    checked(router, state)
}

/// For the pages of those who are logged in, and no other site's.
fn stream(state: &DoorState) -> Router<DoorState> {
    let stream = Router::new()
        .route("/ws", any(ws::open))
        .route("/ws/vms/{id}/{kind}", any(terminal::open))
        .layer(from_fn_with_state((state.doors.clone(), Guard::STREAM), guard::only_users))
        .layer(from_fn_with_state(state.clone(), ws::only_from_own_pages));
    checked(stream, state).layer(map_response(as_problem))
}

/// For people who are logged in: pages, the functions that they call, and the answer where there is nothing. The files that pages consist
/// of are for everyone.
fn pages(state: &DoorState) -> Router<DoorState> {
    let pages = pages::router(state)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state((state.doors.clone(), Guard::PAGES), guard::only_users))
        .layer(from_fn_with_state(state.doors.site.simulated, assets::say_whether_simulated))
        .layer(from_fn(assets::files_first));
    checked(pages, state).layer(map_response(as_problem))
}

/// The layers that every request but `/healthz` passes before its session is looked up.
fn checked(router: Router<DoorState>, state: &DoorState) -> Router<DoorState> {
    router
        .layer(sessions(&state.doors))
        .layer(from_fn(body::limit))
        .layer(csrf(&state.doors.site))
        .layer(from_fn_with_state(state.clone(), host::only_own_names))
        .layer(from_fn_with_state(state.clone(), client::only_by_proxy))
        .layer(CatchPanicLayer::custom(panicked))
}

fn sessions(Doors { auth, site, .. }: &Doors) -> SessionManagerLayer<CookieSessions> {
    SessionManagerLayer::new(auth.sessions().clone())
        .with_name(site.cookie())
        .with_secure(site.https)
        .with_http_only(true)
        .with_same_site(SameSite::Strict)
        // The browser forgets it when it is closed; the limits are the store's.
        .with_expiry(Expiry::OnSessionEnd)
}

/// Refuses what another site's page makes a browser send, for every method that changes something.
fn csrf(site: &Site) -> CsrfLayer<impl Fn(tower_http::csrf::ProtectionError) -> Response + Clone + use<>> {
    let refuse = |_| {
        let problem = Problem::new(Code::ForeignOrigin, "This request was sent by another site's page.")
            .with_fix("Use the console's own pages. Behind a proxy, public_url in the configuration has to be right.");
        Refused::from(problem).into_response()
    };
    let layer = CsrfLayer::new().with_rejection_response(refuse);
    match &site.public_url {
        Some(url) => layer.add_trusted_origin(url.origin()).expect("it was checked when the configuration was read"),
        None => layer,
    }
}

/// Pages and JSON; the files come compressed.
fn is_text(_: StatusCode, _: axum::http::Version, headers: &axum::http::HeaderMap, _: &axum::http::Extensions) -> bool {
    let content_type = headers.get(axum::http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| value.starts_with("text/html") || value.starts_with("application/json"))
}

/// What the log says of a request: no query, which may contain what a user typed, and no headers.
fn span<B>(request: &axum::http::Request<B>) -> tracing::Span {
    tracing::info_span!("request", method = %request.method(), path = request.uri().path())
}

fn not_offered() -> Problem {
    Problem::new(Code::MethodNotAllowed, "This method is not offered here.").with_fix("docs/api.md lists the methods.")
}

async fn nothing_here() -> Refused {
    Problem::new(Code::NotFound, "There is nothing at this address.").into()
}

async fn wrong_method() -> Refused {
    not_offered().into()
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    // The panic hook has written it to the log.
    Refused::from(Problem::new(Code::Internal, "The console failed.").with_fix("Its log says why.")).into_response()
}
