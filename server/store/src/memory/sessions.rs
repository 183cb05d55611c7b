//! Sessions, in memory.

use std::{cmp::Reverse, collections::btree_map::Entry, time::Duration};

use async_trait::async_trait;

use super::{MemoryStore, user_exists};
use crate::{
    SessionLimits, SessionRecord, Sessions, StoreError,
    clock::{ms_ago, now_ms},
};

#[async_trait]
impl Sessions for MemoryStore {
    async fn add_session(
        &self,
        id_hash: &str,
        user: &str,
        address: &str,
        user_agent: &str,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        user_exists(&tables, user)?;
        match tables.sessions.entry(id_hash.to_owned()) {
            Entry::Occupied(_) => Ok(false),
            Entry::Vacant(free) => {
                let now = now_ms();
                free.insert(SessionRecord {
                    id_hash: id_hash.to_owned(),
                    user: user.to_owned(),
                    created_at: now,
                    last_seen: now,
                    address: address.to_owned(),
                    user_agent: user_agent.to_owned(),
                });
                Ok(true)
            }
        }
    }

    async fn session(&self, id_hash: &str, limits: SessionLimits) -> Result<Option<SessionRecord>, StoreError> {
        Ok(self.tables().sessions.get(id_hash).filter(|session| is_within(limits, session)).cloned())
    }

    async fn sessions_of(&self, user: &str, limits: SessionLimits) -> Result<Vec<SessionRecord>, StoreError> {
        let tables = self.tables();
        let own = tables.sessions.values().filter(|session| session.user == user && is_within(limits, session));
        let mut own: Vec<SessionRecord> = own.cloned().collect();
        own.sort_by_key(|session| Reverse(session.last_seen));
        Ok(own)
    }

    async fn touch_session(&self, id_hash: &str, grain: Duration) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let session = tables.sessions.get_mut(id_hash).filter(|session| session.last_seen < ms_ago(grain));
        if let Some(session) = session {
            session.last_seen = now_ms();
        }
        Ok(())
    }

    async fn remove_session(&self, id_hash: &str) -> Result<(), StoreError> {
        self.tables().sessions.remove(id_hash);
        Ok(())
    }

    async fn remove_expired_sessions(&self, limits: SessionLimits) -> Result<(), StoreError> {
        self.tables().sessions.retain(|_, session| is_within(limits, session));
        Ok(())
    }
}

fn is_within(limits: SessionLimits, session: &SessionRecord) -> bool {
    session.last_seen > ms_ago(limits.idle) && session.created_at > ms_ago(limits.absolute)
}
