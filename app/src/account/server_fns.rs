//! One's own account. Logging in and out are the server's own doors: /login and /logout.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use model::PasswordChange;
use model::SessionInfo;

#[cfg(feature = "ssr")]
use crate::console::after_form;
#[cfg(feature = "ssr")]
use crate::console::console;
#[cfg(feature = "ssr")]
use crate::console::refused;
#[cfg(feature = "ssr")]
use crate::console::who;
use crate::failure::Failure;
use crate::ui::json::Json;

/// One's own name, and one's sessions, the last used first.
#[server(output = Json)]
pub async fn sessions() -> Result<(String, Vec<SessionInfo>), Failure> {
    let who = who()?;
    let sessions = console().sessions(&who).await.map_err(refused)?;
    Ok((who.user().to_owned(), sessions))
}

/// Changes one's password and ends one's other sessions.
#[server(output = Json)]
pub async fn change_password(current: String, new: String) -> Result<(), Failure> {
    console().change_password(&who()?, PasswordChange { current, new }).await.map_err(refused)?;
    after_form("/account?changed=true");
    Ok(())
}

/// Ends one of one's own sessions.
#[server(output = Json)]
pub async fn end_session(handle: String) -> Result<(), Failure> {
    console().end_session(&who()?, &handle).await.map_err(refused)?;
    after_form("/account");
    Ok(())
}
