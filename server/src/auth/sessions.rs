//! Sessions: which user a request comes from, how long a session lasts, which ones a user has.

use model::SessionInfo;
use port::Principal;
use store::Action;
use tokio::sync::broadcast;
use tower_sessions::Session;

use super::{Auth, AuthError, CookieSessions, cookie_sessions};

impl Auth {
    /// Where sessions are kept.
    pub fn sessions(&self) -> &CookieSessions {
        &self.sessions
    }

    /// The user whose session this is; none if it is over, or was never begun by a login.
    ///
    /// # Errors
    /// When the store fails.
    #[expect(clippy::disallowed_methods, reason = "the session was begun by log_in, and the store still has it")]
    pub async fn principal(&self, session: &Session) -> Result<Option<Principal>, AuthError> {
        let user = cookie_sessions::user(session).await?;
        let handle = session.id().map(|id| cookie_sessions::handle(&id));
        Ok(user.map(|user| Principal::authenticated(user, handle)))
    }

    /// Notes that a session was used.
    pub async fn seen(&self, who: &Principal) {
        if let Some(handle) = who.session()
            && let Err(error) = self.sessions.touch(handle).await
        {
            tracing::error!(%error, "that a session was used can't be noted");
        }
    }

    /// Whether the principal's session still lasts.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lasts(&self, who: &Principal) -> Result<bool, AuthError> {
        match who.session() {
            Some(handle) => Ok(self.sessions.lasts(handle).await?),
            None => Ok(false),
        }
    }

    /// The handles of sessions, as a user or an admin ends them.
    pub fn ended_sessions(&self) -> broadcast::Receiver<String> {
        self.sessions.ended()
    }

    /// The principal's own sessions, the last used first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sessions_of(&self, who: &Principal) -> Result<Vec<SessionInfo>, AuthError> {
        Ok(self.sessions.of(who).await?)
    }

    /// Ends one of the principal's own sessions.
    ///
    /// # Errors
    /// [`AuthError::UnknownSession`]; when the store fails.
    pub async fn end_session(&self, who: &Principal, handle: &str) -> Result<(), AuthError> {
        let own = self.sessions_of(who).await?;
        if !own.iter().any(|session| session.handle == handle) {
            return Err(AuthError::UnknownSession);
        }
        // The entry first: no session may end without one.
        self.store.audit(who.user(), Action::SessionEnded(handle)).await?;
        Ok(self.sessions.end(handle).await?)
    }
}
