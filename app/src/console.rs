//! What every server function needs on the server's side.

use axum::http::{Method, StatusCode, header::ACCEPT, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use model::{Code, Problem};

use crate::failure::Failure;
use port::{Principal, SharedConsole};

/// Which HTTP status a refusal has: the server says so, and puts this into the context of every server function.
#[derive(Clone, Copy)]
pub struct StatusOf(pub fn(Code) -> StatusCode);

/// The principal whom the server's guard has put into the request.
pub fn who() -> Result<Principal, Failure> {
    let principal = use_context::<Parts>().and_then(|request| request.extensions.get::<Principal>().cloned());
    principal.ok_or_else(|| {
        refused(Problem::new(Code::Unauthenticated, "You are not logged in.").with_fix("Log in, then try again."))
    })
}

/// The port.
pub fn console() -> SharedConsole {
    expect_context::<SharedConsole>()
}

/// Answers with the problem, and with its HTTP status.
pub fn refused(problem: Problem) -> Failure {
    // A form sent without WASM is answered by a redirect to its page, which another status would stop.
    if let (Some(response), Some(StatusOf(status)), false) = (use_context(), use_context(), is_plain_form()) {
        let response: ResponseOptions = response;
        response.set_status(status(problem.code));
    }
    Failure(problem)
}

/// Sends a browser without WASM on to `path`; with it, the page decides itself where to go.
pub fn after_form(path: &str) {
    if is_plain_form() {
        leptos_axum::redirect(path);
    }
}

fn is_plain_form() -> bool {
    use_context::<Parts>().is_some_and(|request| {
        let accept = request.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        request.method == Method::POST && accept.is_some_and(|accept| accept.contains("text/html"))
    })
}
