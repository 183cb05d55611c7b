//! Logging in and out.

use std::net::IpAddr;

use store::Action;
use tower_sessions::Session;

use super::{Auth, AuthError, cookie_sessions};

impl Auth {
    /// Checks a name and a password, and begins a session with a new id.
    ///
    /// # Errors
    /// [`AuthError::WrongCredentials`], [`AuthError::Throttled`]; what else failed.
    pub async fn log_in(
        &self,
        session: &Session,
        name: &str,
        password: String,
        address: IpAddr,
        user_agent: &str,
    ) -> Result<(), AuthError> {
        let attempt = self.throttle.login(name, address).await?;
        let hash = self.store.password_hash(name).await?;
        let is_user = hash.is_some();
        let Some(verified) = self.hasher.verify(password, hash.clone()).await else {
            // What was typed as the name of a user may be a password.
            let actor = if is_user { name } else { "(unknown)" };
            self.store.audit(actor, Action::LoginFailed(&address.to_string())).await?;
            return Err(AuthError::WrongCredentials);
        };
        self.throttle.succeeded(attempt).await?;
        self.throttle.remember(name, address).await?;
        if let (Some(hash), Some(better)) = (hash, verified.better_hash) {
            self.store.improve_password_hash(name, &hash, &better).await?;
        }
        let begun = cookie_sessions::begin(session, name, address, user_agent).await;
        begun.map_err(|error| self.session_failed(error))?;
        self.store.audit(name, Action::LoggedIn(&address.to_string())).await?;
        Ok(())
    }

    /// Ends the session that a request came with, if any.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn log_out(&self, session: &Session) -> Result<(), AuthError> {
        if let Some(who) = self.principal(session).await? {
            self.store.audit(who.user(), Action::LoggedOut).await?;
        }
        if session.id().is_some() {
            session.flush().await.map_err(|error| self.session_failed(error))?;
        }
        Ok(())
    }
}
