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
        let Some(verified) = self.hasher.verify(password.clone(), hash.clone()).await else {
            return self.wrong_credentials(address, actor).await;
        };
        self.throttle.succeeded(attempt).await?;
        self.throttle.remember(name, address).await?;
        if !self.begin_session(session, name, password, hash.as_ref(), address, user_agent).await? {
            return self.wrong_credentials(address, actor).await;
        }
        if let (Some(hash), Some(better)) = (hash, verified.better_hash) {
            self.store.improve_password_hash(name, &hash, &better).await?;
        }
        self.store.audit(name, Action::LoggedIn(&address.to_string())).await?;
        Ok(())
    }

    /// Begins a session with a new id after the password was right for `hash`. False if it is no longer the user's: a change of the
    /// password ends the sessions that are there, and one made before this session was there is seen here.
    pub(super) async fn begin_session(
        &self,
        session: &Session,
        name: &str,
        password: String,
        hash: Option<&String>,
        address: IpAddr,
        user_agent: &str,
    ) -> Result<bool, AuthError> {
        let begun = cookie_sessions::begin(session, name, address, user_agent).await;
        begun.map_err(|error| self.session_failed(error))?;
        let now = self.store.password_hash(name).await?;
        if now.as_ref() == hash || self.hasher.verify(password, now).await.is_some() {
            return Ok(true);
        }
        session.flush().await.map_err(|error| self.session_failed(error))?;
        Ok(false)
    }

    async fn wrong_credentials(&self, address: IpAddr, actor: &str) -> Result<(), AuthError> {
        failed(address, actor, "wrong-credentials");
        self.store.audit(actor, Action::LoginFailed(&address.to_string())).await?;
        Err(AuthError::WrongCredentials)
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
