//! Who somebody is: passwords, sessions, and how fast one may guess. Only this module makes a `Principal`.

mod common_passwords;
mod hasher;
mod rules;
mod sessions;
mod throttle;

use std::{net::IpAddr, sync::Arc, time::Duration};

use model::{Code, PasswordChange, Problem, SessionInfo};
use port::Principal;
pub use store::SessionLimits;
use store::{Action, AuthStore, StoreError};
use tokio::sync::broadcast;
use tower_sessions::Session;

pub use hasher::HashCost;
pub use sessions::{COOKIE, CookieSessions};

use hasher::Hasher;
use throttle::Throttle;

/// Who did what was done on the command line; no user can be called so.
pub(crate) const COMMAND_LINE: &str = "(command line)";

/// Why a login was refused.
#[derive(Debug)]
pub enum LoginRefused {
    /// User name or password is wrong; which of them is not said.
    Wrong,
    /// Too many failures; wait so long.
    Throttled(Duration),
    /// The console itself failed.
    Failed(Problem),
}

impl From<LoginRefused> for Problem {
    fn from(refused: LoginRefused) -> Self {
        match refused {
            LoginRefused::Wrong => Self::new(Code::WrongCredentials, "User name or password is wrong.")
                .with_fix("Check both, and that caps lock is off."),
            LoginRefused::Throttled(wait) => Self::new(Code::Throttled, "Too many failed attempts.")
                .with_fix(format!("Wait {}, then try again.", model::text::duration(wait.as_secs().max(1) * 1_000))),
            LoginRefused::Failed(problem) => problem,
        }
    }
}

impl From<StoreError> for LoginRefused {
    fn from(error: StoreError) -> Self {
        Self::Failed(store_failed(&error))
    }
}

/// Users, their passwords and their sessions.
#[derive(Clone)]
pub struct Auth {
    store: Arc<dyn AuthStore>,
    hasher: Arc<Hasher>,
    throttle: Throttle,
    sessions: CookieSessions,
}

impl Auth {
    /// Keeps users and sessions in `store`.
    pub fn new(store: Arc<dyn AuthStore>, cost: HashCost, limits: SessionLimits) -> Self {
        Self {
            hasher: Arc::new(Hasher::new(cost)),
            throttle: Throttle::new(store.clone(), store.clone()),
            sessions: CookieSessions::new(store.clone(), limits),
            store,
        }
    }

    /// Where sessions are kept.
    pub fn sessions(&self) -> &CookieSessions {
        &self.sessions
    }

    /// Checks a name and a password, and begins a session with a new id.
    ///
    /// # Errors
    /// As [`LoginRefused`] says.
    pub async fn log_in(
        &self,
        session: &Session,
        name: &str,
        password: String,
        address: IpAddr,
        user_agent: &str,
    ) -> Result<(), LoginRefused> {
        let counted = self.throttle.login(name, address).await?;
        let hash = self.store.password_hash(name).await?;
        let known = hash.is_some();
        let Some(verified) = self.hasher.verify(password, hash.clone()).await else {
            // What was typed as the name of nobody may be a password.
            let actor = if known { name } else { "(unknown)" };
            self.store.audit(actor, Action::LoginFailed(&address.to_string())).await?;
            return Err(LoginRefused::Wrong);
        };
        self.throttle.succeeded(counted).await?;
        self.throttle.remember(name, address).await?;
        if let (Some(hash), Some(better)) = (hash, verified.better_hash) {
            self.store.improve_password_hash(name, &hash, &better).await?;
        }
        sessions::begin(session, name, address, user_agent).await.map_err(|error| {
            tracing::error!(%error, "a session can't be kept");
            LoginRefused::Failed(internal())
        })?;
        self.store.audit(name, Action::LoggedIn(&address.to_string())).await?;
        Ok(())
    }

    /// Ends the session that somebody came with, if any.
    ///
    /// # Errors
    /// `internal` if the store fails.
    pub async fn log_out(&self, session: &Session) -> Result<(), Problem> {
        if let Some(who) = self.principal(session).await? {
            self.store.audit(who.user(), Action::LoggedOut).await.map_err(|error| store_failed(&error))?;
        }
        if session.id().is_some() {
            session.flush().await.map_err(|error| session_failed(&error))?;
        }
        Ok(())
    }

    /// Who comes with this session; none if it is nobody's or over.
    ///
    /// # Errors
    /// `internal` if the store fails.
    #[expect(clippy::disallowed_methods, reason = "the session was begun by log_in, and the store still has it")]
    pub async fn principal(&self, session: &Session) -> Result<Option<Principal>, Problem> {
        let user = sessions::user(session).await.map_err(|error| session_failed(&error))?;
        let handle = session.id().map(|id| sessions::handle(&id));
        Ok(user.map(|user| Principal::authenticated(user, handle)))
    }

    /// Notes that somebody did something in their session.
    pub async fn seen(&self, who: &Principal) {
        if let Some(handle) = who.session()
            && let Err(error) = self.sessions.touch(handle).await
        {
            tracing::error!(%error, "that a session was used can't be noted");
        }
    }

    /// Whether somebody's session still lasts.
    pub async fn lasts(&self, who: &Principal) -> bool {
        match who.session() {
            Some(handle) => self.sessions.lasts(handle).await.unwrap_or(false),
            None => false,
        }
    }

    /// The handles of sessions, as they are ended by somebody.
    pub fn ended_sessions(&self) -> broadcast::Receiver<String> {
        self.sessions.ended()
    }

    /// Changes somebody's own password and ends their other sessions.
    ///
    /// # Errors
    /// `wrong-credentials`, `weak-password`, `throttled`.
    pub async fn change_password(&self, who: &Principal, change: PasswordChange) -> Result<(), Problem> {
        let counted = self.throttle.password_change(who.user()).await?;
        let hash = self.store.password_hash(who.user()).await.map_err(|error| store_failed(&error))?;
        if self.hasher.verify(change.current, hash).await.is_none() {
            return Err(Problem::new(Code::WrongCredentials, "The current password is wrong.").with_fix("Check it."));
        }
        self.throttle.succeeded(counted).await.map_err(|error| store_failed(&error))?;
        self.set_password(who.user(), change.new, Some(who)).await
    }

    /// Somebody's own sessions, the last used first.
    ///
    /// # Errors
    /// `internal` if the store fails.
    pub async fn sessions_of(&self, who: &Principal) -> Result<Vec<SessionInfo>, Problem> {
        self.sessions.of(who).await.map_err(|error| store_failed(&error))
    }

    /// Ends one of somebody's own sessions.
    ///
    /// # Errors
    /// `not-found`.
    pub async fn end_session(&self, who: &Principal, handle: &str) -> Result<(), Problem> {
        let own = self.sessions_of(who).await?;
        if !own.iter().any(|session| session.handle == handle) {
            return Err(
                Problem::new(Code::NotFound, "You have no such session.").with_fix("It may have ended already.")
            );
        }
        // The entry first: nobody must be able to end a session without one.
        let noted = self.store.audit(who.user(), Action::SessionEnded(handle)).await;
        noted.map_err(|error| store_failed(&error))?;
        self.sessions.end(handle).await.map_err(|error| store_failed(&error))
    }

    /// Adds a user.
    ///
    /// # Errors
    /// `invalid-input` if the name can't be one or is taken, `weak-password`.
    pub async fn add_user(&self, name: &str, password: String) -> Result<(), Problem> {
        let _: engine::UserName = name.parse()?;
        rules::check(name, &password)?;
        self.add_user_unchecked(name, password).await
    }

    /// Adds a user with whatever password the person who starts a demo chose.
    ///
    /// # Errors
    /// `invalid-input` if the name can't be one or is taken.
    pub async fn add_user_unchecked(&self, name: &str, password: String) -> Result<(), Problem> {
        let name: engine::UserName = name.parse()?;
        let hash = self.hasher.hash(password).await;
        if !self.store.add_user(name.as_str(), &hash).await.map_err(|error| store_failed(&error))? {
            return Err(Problem::new(Code::InvalidInput, format!("There is a user {} already.", name.as_str()))
                .with_fix("Choose another name, or set that user's password."));
        }
        self.store.audit(COMMAND_LINE, Action::UserAdded(name.as_str())).await.map_err(|error| store_failed(&error))
    }

    /// Sets a user's password and ends all their sessions.
    ///
    /// # Errors
    /// `not-found`, `weak-password`.
    pub async fn set_users_password(&self, name: &str, password: String) -> Result<(), Problem> {
        self.set_password(name, password, None).await
    }

    /// Removes a user and ends all their sessions.
    ///
    /// # Errors
    /// `not-found`.
    pub async fn remove_user(&self, name: &str) -> Result<(), Problem> {
        if !self.store.remove_user(name).await.map_err(|error| store_failed(&error))? {
            return Err(unknown_user(name));
        }
        self.store.audit(COMMAND_LINE, Action::UserRemoved(name)).await.map_err(|error| store_failed(&error))
    }

    /// All users' names.
    ///
    /// # Errors
    /// `internal` if the store fails.
    pub async fn users(&self) -> Result<Vec<String>, Problem> {
        self.store.users().await.map_err(|error| store_failed(&error))
    }

    /// Sets a password for the user themselves, whose session stays, or else for the command line.
    async fn set_password(&self, name: &str, password: String, by: Option<&Principal>) -> Result<(), Problem> {
        rules::check(name, &password)?;
        let hash = self.hasher.hash(password).await;
        let (auth, user, by) = (self.clone(), name.to_owned(), by.cloned());
        // A task of its own: whoever asked may leave, but the streams of the ended sessions have to hear of it.
        let set = tokio::spawn(async move {
            let entry = match by {
                Some(_) => (user.as_str(), Action::PasswordChanged),
                None => (COMMAND_LINE, Action::UserPasswordSet(&user)),
            };
            let keep = by.as_ref().and_then(Principal::session);
            let ended =
                auth.store.set_password(&user, &hash, keep, entry).await.map_err(|error| store_failed(&error))?;
            ended.ok_or_else(|| unknown_user(&user))?.into_iter().for_each(|handle| auth.sessions.tell(handle));
            Ok(())
        });
        set.await.unwrap_or_else(|_| Err(internal()))
    }
}

fn unknown_user(name: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no user {name}.")).with_fix("`vmferry user list` names them all.")
}

/// What the caller gets to see of a failure whose text is for the log.
fn internal() -> Problem {
    Problem::new(Code::Internal, "The console failed.").with_fix("Its log says why.")
}

/// The store failed: its words go to the log.
pub(crate) fn store_failed(error: &StoreError) -> Problem {
    tracing::error!(%error, "the store failed");
    internal()
}

fn session_failed(error: &tower_sessions::session::Error) -> Problem {
    tracing::error!(%error, "the session can't be read");
    internal()
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use store::{Audit as _, AuditFilter, Sessions as _, SqliteStore, Users as _};

    use super::*;
    use crate::test_directory::TestDirectory;

    const PASSWORD: &str = "a long test password";

    async fn auth(directory: &TestDirectory) -> (Auth, Arc<SqliteStore>) {
        let store = Arc::new(SqliteStore::open(directory.path()).await.unwrap());
        let auth = Auth::new(store.clone(), HashCost { memory_kib: 8, passes: 1 }, SessionLimits::default());
        (auth, store)
    }

    #[tokio::test]
    async fn what_is_done_on_the_command_line_says_so() {
        let directory = TestDirectory::new();
        let (auth, store) = auth(&directory).await;
        auth.add_user("ada", PASSWORD.into()).await.unwrap();
        auth.set_users_password("ada", PASSWORD.into()).await.unwrap();
        auth.remove_user("ada").await.unwrap();
        assert!(auth.set_users_password("ada", PASSWORD.into()).await.is_err(), "nothing of it is in the log");
        let log = store.audit_entries(&AuditFilter::newest(10)).await.unwrap();
        let actions: Vec<&str> = log.iter().rev().map(|entry| entry.action.as_str()).collect();
        assert_eq!(actions, ["user-added", "user-password-set", "user-removed"]);
        for entry in &log {
            assert_eq!((entry.actor.as_str(), entry.details.as_str()), ("(command line)", r#"{"user":"ada"}"#));
        }
    }

    #[tokio::test]
    async fn a_password_is_set_to_the_end_though_nobody_waits_for_it() {
        let directory = TestDirectory::new();
        let (auth, store) = auth(&directory).await;
        auth.add_user("ada", PASSWORD.into()).await.unwrap();
        store.add_session("id", "ada", "192.0.2.1", "test").await.unwrap();
        let mut ended = auth.ended_sessions();
        let hash = store.password_hash("ada").await.unwrap();
        {
            let mut setting = std::pin::pin!(auth.set_users_password("ada", "another long password".into()));
            // Left as soon as the new hash is there.
            while store.password_hash("ada").await.unwrap() == hash {
                if setting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let told = tokio::time::timeout(Duration::from_secs(20), ended.recv()).await;
        assert_eq!(told.expect("the session's end is told").unwrap(), "id");
        assert_eq!(store.sessions_of("ada", SessionLimits::default()).await.unwrap(), []);
    }
}
