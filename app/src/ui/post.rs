//! Sends a form to a server function in the background, for pages that have their WASM. Without it the browser sends the form
//! itself, and the page it comes back to begins with the problem that the address carries.

use gloo_net::http::Request;
use leptos::{
    prelude::*,
    server::ServerActionError,
    server_fn::{ServerFn, error::ServerFnUrlError},
    task::spawn_local,
};
use model::Problem;

use crate::failure::Failure;

/// One form, or one kind of button, and how its sending goes. One type for all of them: typed actions would each bring their
/// own copy of Leptos' machinery into the WASM.
#[derive(Clone, Copy)]
pub(crate) struct Post {
    /// The server function's address.
    pub url: &'static str,
    /// Whether an answer is waited for.
    pub pending: RwSignal<bool>,
    /// What the last attempt failed with.
    pub problem: RwSignal<Option<Problem>>,
    done: Callback<String>,
}

impl Post {
    /// Posts to the server function `F`; `done` gets the answer, as JSON, when it succeeded.
    pub fn to<F>(done: impl Fn(String) + Send + Sync + 'static) -> Self
    where
        F: ServerFn,
    {
        let failed = use_context::<ServerActionError>().filter(|error| error.path() == F::PATH);
        let problem = failed.map(|error| ServerFnUrlError::<Failure>::decode_err(error.err()).0);
        Self { url: F::PATH, pending: RwSignal::new(false), problem: RwSignal::new(problem), done: Callback::new(done) }
    }

    /// Sends fields written as in an address: `a=1&b=2`.
    pub fn send(self, fields: String) {
        self.pending.set(true);
        spawn_local(async move {
            let answer = post(self.url, fields).await;
            // The page may have been left meanwhile, and its signals with it.
            self.pending.try_set(false);
            match answer {
                Ok(json) => {
                    self.problem.try_set(None);
                    self.done.try_run(json);
                }
                Err(Failure(problem)) => {
                    self.problem.try_set(Some(problem));
                }
            }
        });
    }
}

pub(super) async fn post(url: &str, fields: String) -> Result<String, Failure> {
    let unreachable = |error: gloo_net::Error| Failure::unreachable(error.to_string());
    let request = Request::post(url)
        .header("Accept", "application/json")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(fields)
        .map_err(unreachable)?;
    let response = request.send().await.map_err(unreachable)?;
    let text = response.text().await.map_err(unreachable)?;
    if response.ok() { Ok(text) } else { Err(Failure::from_json(&text)) }
}
