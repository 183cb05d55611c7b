//! Sessions as tower-sessions needs them: it makes the cookies, the store keeps the rest.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use model::SessionInfo;
use port::Principal;
use sha2::{Digest, Sha256};
use store::{SessionLimits, SessionRecord, StoreError};
use time::OffsetDateTime;
use tokio::sync::broadcast;
use tower_sessions::{
    Session, SessionStore,
    session::{Error, Id, Record},
    session_store,
};

/// The cookie's name. Browsers take a `__Host-` cookie only over HTTPS, for all paths, and from no other host.
pub const COOKIE: &str = "__Host-vmferry";
/// Its name where browsers speak plain HTTP with a console on their own machine: WebKit keeps neither `Secure` nor `__Host-` cookies there.
pub const PLAIN_COOKIE: &str = "vmferry";
/// How exactly the store knows when a session was last used: one write a minute is enough.
const GRAIN: Duration = Duration::from_mins(1);
/// How many characters of a browser's User-Agent are kept.
const USER_AGENT_LENGTH: usize = 200;

const USER: &str = "user";
const ADDRESS: &str = "address";
const USER_AGENT: &str = "user_agent";

/// Where sessions are kept: tower-sessions' [`SessionStore`] on the sessions of our own store.
#[derive(Clone)]
pub struct CookieSessions {
    store: Arc<dyn store::Sessions>,
    limits: SessionLimits,
    ended: broadcast::Sender<String>,
}

/// Makes the session of a request the user's, under a new id, which no one can have known before.
pub(super) async fn begin(session: &Session, user: &str, address: IpAddr, user_agent: &str) -> Result<(), Error> {
    session.cycle_id().await?;
    session.insert(USER, user).await?;
    session.insert(ADDRESS, address).await?;
    session.insert(USER_AGENT, user_agent.chars().take(USER_AGENT_LENGTH).collect::<String>()).await?;
    // Here, not after the answer, so that a failure is told like any other.
    session.save().await
}

/// Whose session it is.
pub(super) async fn user(session: &Session) -> Result<Option<String>, Error> {
    session.get(USER).await
}

/// What a session is called where its id must not be known: in the database, in a list, in the log.
pub(super) fn handle(id: &Id) -> String {
    hex(&Sha256::digest(id.to_string()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl CookieSessions {
    pub(super) fn new(store: Arc<dyn store::Sessions>, limits: SessionLimits) -> Self {
        // A stream that lags asks the store instead, so that a few are enough.
        Self { store, limits, ended: broadcast::Sender::new(64) }
    }

    pub(super) fn ended(&self) -> broadcast::Receiver<String> {
        self.ended.subscribe()
    }

    pub(super) async fn lasts(&self, handle: &str) -> Result<bool, StoreError> {
        Ok(self.row(handle).await?.is_some())
    }

    pub(super) async fn touch(&self, handle: &str) -> Result<(), StoreError> {
        self.store.touch_session(handle, GRAIN).await
    }

    pub(super) async fn of(&self, who: &Principal) -> Result<Vec<SessionInfo>, StoreError> {
        let rows = self.store.sessions_of(who.user(), self.limits).await?;
        Ok(rows.into_iter().map(|row| info(row, who)).collect())
    }

    pub(super) async fn end(&self, handle: &str) -> Result<(), StoreError> {
        self.store.remove_session(handle).await?;
        self.tell(handle.to_owned());
        Ok(())
    }

    /// Removes expired sessions every hour, for ever.
    pub async fn clean_up(self) {
        let mut hourly = tokio::time::interval(Duration::from_hours(1));
        loop {
            hourly.tick().await;
            if let Err(error) = self.store.remove_expired_sessions(self.limits).await {
                tracing::error!(%error, "expired sessions can't be removed");
            }
        }
    }

    async fn row(&self, handle: &str) -> Result<Option<SessionRecord>, StoreError> {
        self.store.session(handle, self.limits).await
    }

    /// Tells the streams of a session that it has ended.
    pub(super) fn tell(&self, handle: String) {
        // There is no receiver while no stream is open.
        let _ = self.ended.send(handle);
    }
}

impl fmt::Debug for CookieSessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CookieSessions").field("limits", &self.limits).finish_non_exhaustive()
    }
}

fn info(row: SessionRecord, who: &Principal) -> SessionInfo {
    SessionInfo {
        current: who.session() == Some(&row.id_hash),
        handle: row.id_hash,
        created_at_ms: row.created_at.unsigned_abs(),
        last_seen_ms: row.last_seen.unsigned_abs(),
        address: row.address,
        user_agent: row.user_agent,
    }
}

fn text<'a>(record: &'a Record, key: &str) -> &'a str {
    record.data.get(key).and_then(|value| value.as_str()).unwrap_or_default()
}

fn failed(error: StoreError) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for CookieSessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        loop {
            record.id = Id::default();
            let (user, address, user_agent) = (text(record, USER), text(record, ADDRESS), text(record, USER_AGENT));
            if self.store.add_session(&handle(&record.id), user, address, user_agent).await.map_err(failed)? {
                return Ok(());
            }
        }
    }

    /// Nothing of a session ever changes but when it was last used, which [`Self::touch`] notes.
    async fn save(&self, _record: &Record) -> session_store::Result<()> {
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let row = self.row(&handle(id)).await.map_err(failed)?;
        Ok(row.map(|row| Record {
            id: *id,
            data: [(USER, row.user), (ADDRESS, row.address), (USER_AGENT, row.user_agent)]
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.into()))
                .collect(),
            // The limits were kept by the query; tower-sessions has nothing to add.
            expiry_date: OffsetDateTime::now_utc() + self.limits.idle,
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.end(&handle(id)).await.map_err(failed)
    }
}
