//! A refusal on its way to the browser.

use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::codec::JsonEncoding;
use model::{Code, Problem};
use serde::{Deserialize, Serialize};

/// A [`Problem`] as server functions answer it: a type of its own only because the trait is Leptos' and `Problem` is the model's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Failure(pub Problem);

impl FromServerFnError for Failure {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(details) => Self(
                Problem::new(Code::TimedOut, "The console does not answer.")
                    .with_fix("Check your network, then try again.")
                    .with_details(details),
            ),
            // What a form has that its server function does not take: read on the server, or by the form itself.
            ServerFnErrorErr::Args(details)
            | ServerFnErrorErr::MissingArg(details)
            | ServerFnErrorErr::Serialization(details) => bad_form(details),
            other => Self(
                Problem::new(Code::Internal, "The console sent an answer that this page does not understand.")
                    .with_fix("Reload the page, then try again.")
                    .with_details(other.to_string()),
            ),
        }
    }
}

fn bad_form(details: String) -> Failure {
    let problem = Problem::new(Code::InvalidInput, "Some fields are not valid.")
        .with_fix("Check what you typed, then send it again.")
        .with_details(details);
    #[cfg(feature = "ssr")]
    return crate::console::refused(problem);
    #[cfg(not(feature = "ssr"))]
    Failure(problem)
}
