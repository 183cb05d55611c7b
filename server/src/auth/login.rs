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
        let hash = self.store.password_hash(name).await?;
        // What was typed as the name of a user may be a password, or a line of the log.
        let actor = if hash.is_some() { name } else { "(unknown)" };
        let attempt = match self.throttle.login(name, address).await {
            Err(AuthError::Throttled(wait)) => {
                failed(address, actor, "throttled");
                return Err(AuthError::Throttled(wait));
            }
            asked => asked?,
        };
        let Some(verified) = self.hasher.verify(password, hash.clone()).await else {
            failed(address, actor, "wrong-credentials");
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

/// The line that fail2ban looks for (`docs/fail2ban.md`), without the request's span: nothing in it may be the client's choice.
fn failed(address: IpAddr, user: &str, reason: &str) {
    tracing::warn!(target: "vmferry::login", parent: None, %address, user, reason, "login failed");
}
