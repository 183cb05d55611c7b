//! What the forms of the account page ask of the console, about the account of the user who is logged in. Logging in and out are doors of the server: /login
//! and /logout.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use model::PasswordChange;

#[cfg(feature = "ssr")]
use crate::console::{after_form, console, refused, who};
use crate::failure::Failure;

/// Changes the user's password and ends the other sessions.
#[server]
pub async fn change_password(current: String, new: String) -> Result<(), Failure> {
    let who = who()?;
    console().change_password(&who, PasswordChange { current, new }).await.map_err(refused)?;
    after_form(&format!("/account?changed={}", who.session().unwrap_or_default()));
    Ok(())
}

/// Ends one of the user's own sessions.
#[server]
pub async fn end_session(handle: String) -> Result<(), Failure> {
    console().end_session(&who()?, &handle).await.map_err(refused)?;
    after_form("/account");
    Ok(())
}

/// Ends all of the user's own sessions but this one.
#[server]
pub async fn end_other_sessions() -> Result<(), Failure> {
    let (console, who) = (console(), who()?);
    for session in console.sessions(&who).await.map_err(refused)?.into_iter().filter(|session| !session.current) {
        console.end_session(&who, &session.handle).await.map_err(refused)?;
    }
    after_form("/account");
    Ok(())
}
