//! A refusal on its way to the browser.

use leptos::prelude::ServerFnErrorErr;
use leptos::server_fn::error::FromServerFnError;
use model::{Code, Problem};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::ui::json::TextEncoding;

/// A [`Problem`] as server functions answer it: a type of its own only because the trait is Leptos' and `Problem` is not ours here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Failure(pub Problem);

impl Failure {
    /// No answer came.
    pub fn unreachable(details: String) -> Self {
        let problem = Problem::new(Code::TimedOut, "The console does not answer.");
        Self(problem.with_fix("Check your network, then try again.").with_details(details))
    }

    /// The failure that an answer carries.
    pub fn from_json(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_else(|error| Self::not_understood(error.to_string()))
    }

    fn bad_form(details: String) -> Self {
        let problem = Problem::new(Code::InvalidInput, "The form was not filled in as it should be.")
            .with_fix("Check what you typed, then send it again.")
            .with_details(details);
        #[cfg(feature = "ssr")]
        return crate::console::refused(problem);
        #[cfg(not(feature = "ssr"))]
        return Self(problem);
    }

    /// Reads an answer.
    pub fn or_answer<T: DeserializeOwned>(json: &str) -> Result<T, Self> {
        serde_json::from_str(json).map_err(|error| Self::not_understood(error.to_string()))
    }

    /// The answer is none.
    pub fn not_understood(details: String) -> Self {
        let problem = Problem::new(Code::Internal, "The console gave an answer that this page does not understand.");
        Self(problem.with_fix("Reload the page, then try again.").with_details(details))
    }
}

impl FromServerFnError for Failure {
    type Encoder = TextEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(details) => Self::unreachable(details),
            ServerFnErrorErr::Args(details) | ServerFnErrorErr::MissingArg(details) => Self::bad_form(details),
            other => Self::not_understood(other.to_string()),
        }
    }
}
