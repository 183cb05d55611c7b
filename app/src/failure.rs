//! A refusal on its way to the browser.

use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::codec::JsonEncoding;
use model::{Code, Problem};
use serde::{Deserialize, Serialize};

/// A [`Problem`] as server functions answer it: a type of its own only because the trait is Leptos' and `Problem` is the model's.
///
/// A form that was sent without scripts learns it from the address of its page. There only the code may stand, since anyone can write
/// an address, and the words are [`told`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Received", into = "Problem")]
pub struct Failure(pub Problem);

#[derive(Deserialize)]
#[serde(untagged)]
enum Received {
    Whole(Problem),
    Code { code: Code },
}

impl From<Received> for Failure {
    fn from(received: Received) -> Self {
        match received {
            Received::Whole(problem) => Self(problem),
            Received::Code { code } => Self(told(code)),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

/// What a code alone says.
fn told(code: Code) -> Problem {
    let (sentence, fix) = match code {
        Code::WrongCredentials => ("The password is wrong.", "Check it, and that caps lock is off."),
        Code::WeakPassword => (
            "The new password is not allowed.",
            "It needs at least 12 characters, and must be neither a common one nor made of names or sequences.",
        ),
        Code::Throttled => ("Too many failed attempts.", "Wait a minute, then try again."),
        Code::InvalidInput => ("Some fields are not valid.", "Check what you typed, then send it again."),
        Code::StoreUnavailable => ("vmferry's database can't be written now.", "Try again in a few seconds."),
        Code::AlreadyMigrating => ("This VM is being migrated already.", "Wait until that migration has ended."),
        Code::AlreadyEnded => ("This migration has ended already.", "Its page says how."),
        Code::WrongState => ("The VM's state does not allow this.", "Look at its state, then try again."),
        Code::Blocked => ("The migration would fail.", "The destination's checks say why."),
        Code::NeedsConsent => {
            ("The migration puts data at risk.", "The destination's checks say how: accept it there.")
        }
        Code::HostUnreachable => ("A host does not answer.", "The Hosts page says which, and why."),
        _ => ("This was refused.", "Look at the state that the page shows now. A browser with scripts says why."),
    };
    Problem::new(code, sentence).with_fix(fix)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_alone_is_told_in_our_words() {
        let whole = Failure(Problem::new(Code::Blocked, "beta is full.").with_fix("Empty it."));
        let json = serde_json::to_string(&whole).unwrap();
        assert_eq!(serde_json::from_str::<Failure>(&json).unwrap(), whole);
        let Failure(told) = serde_json::from_str(r#"{"code":"blocked"}"#).unwrap();
        assert_eq!((told.code, told.sentence.as_str()), (Code::Blocked, "The migration would fail."));
        assert!(serde_json::from_str::<Failure>(r#"{"code":"a sentence of another"}"#).is_err());
    }
}
