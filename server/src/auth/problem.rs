//! The sentences that people and programs get to see of an [`AuthError`].

use model::{Code, Problem, text};
use store::StoreError;

use super::{AuthError, password_rules::Weakness};

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::WrongCredentials => Self::new(Code::WrongCredentials, "User name or password is wrong.")
                .with_fix("Check both, and that caps lock is off."),
            AuthError::WrongPassword => {
                Self::new(Code::WrongCredentials, "The current password is wrong.").with_fix("Check it.")
            }
            AuthError::Throttled(wait) => Self::new(Code::Throttled, "Too many failed attempts.")
                .with_fix(format!("Wait {}, then try again.", text::duration(wait.as_secs().max(1) * 1_000))),
            AuthError::WeakPassword(weakness) => Self::new(Code::WeakPassword, sentence(weakness))
                .with_fix("Take three or four words that have nothing to do with each other."),
            AuthError::InvalidName(error) => error.into(),
            AuthError::UserExists(name) => Self::new(Code::InvalidInput, format!("There is a user {name} already."))
                .with_fix("Choose another name, or set that user's password."),
            AuthError::UnknownUser(name) => Self::new(Code::NotFound, format!("There is no user {name}."))
                .with_fix("`vmferry user list` names them all."),
            AuthError::UnknownSession => {
                Self::new(Code::NotFound, "You have no such session.").with_fix("It may have ended already.")
            }
            AuthError::Store(error) => store_failed(error),
            AuthError::Session(error) => {
                tracing::error!(%error, "a session can't be read or kept");
                internal()
            }
            AuthError::Stopped => internal(),
        }
    }
}

fn sentence(weakness: Weakness) -> &'static str {
    match weakness {
        Weakness::TooShort => "The password is too short: it needs at least 12 characters.",
        Weakness::TooLong => "The password is too long: it may have 1024 bytes.",
        Weakness::OwnWords => "The password is made of the names of the user, this machine or vmferry.",
        Weakness::Sequence => "The password repeats itself, or follows the keyboard or the alphabet.",
        Weakness::Common => "The password is one of the most common ones, perhaps with other characters around it.",
    }
}

/// The store failed: its words go to the log.
pub(crate) fn store_failed(error: StoreError) -> Problem {
    engine::Error::from(error).into()
}

/// What the caller gets to see of a failure whose text is for the log.
fn internal() -> Problem {
    Problem::new(Code::Internal, "The console failed.").with_fix("Its log says why.")
}
