//! A refusal on its way to the browser.

use leptos::prelude::ServerFnErrorErr;
use leptos::server_fn::{codec::JsonEncoding, error::FromServerFnError};
use model::{Code, Problem};
use serde::{Deserialize, Serialize};

/// A [`Problem`] as server functions answer it: a type of its own only because the trait is Leptos' and `Problem` is not ours here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Failure(pub Problem);

impl FromServerFnError for Failure {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let problem = match &error {
            ServerFnErrorErr::Request(_) => Problem::new(Code::TimedOut, "The console does not answer.")
                .with_fix("Check your network, then try again."),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                Problem::new(Code::InvalidInput, "The form was not filled in as it should be.")
                    .with_fix("Check what you typed, then send it again.")
            }
            _ => Problem::new(Code::Internal, "The console gave an answer that this page does not understand.")
                .with_fix("Reload the page, then try again."),
        };
        Self(problem.with_details(error.to_string()))
    }
}
