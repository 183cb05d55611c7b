//! Users, in memory.

use std::collections::btree_map::Entry;

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::{Action, StoreError, Users};

impl Tables {
    /// Ends all sessions of a user but `keep`, and returns their ids' hashes.
    fn end_sessions(&mut self, name: &str, keep: Option<&str>) -> Vec<String> {
        let is_ended = |id_hash: &String, user: &str| user == name && keep != Some(id_hash.as_str());
        let ended = self.sessions.extract_if(.., |id_hash, session| is_ended(id_hash, &session.user));
        ended.map(|(id_hash, _)| id_hash).collect()
    }
}

#[async_trait]
impl Users for MemoryStore {
    async fn add_user(&self, name: &str, password_hash: &str) -> Result<bool, StoreError> {
        match self.tables().users.entry(name.to_owned()) {
            Entry::Occupied(_) => Ok(false),
            Entry::Vacant(free) => {
                free.insert(password_hash.to_owned());
                Ok(true)
            }
        }
    }

    async fn improve_password_hash(&self, name: &str, from: &str, to: &str) -> Result<(), StoreError> {
        if let Some(hash) = self.tables().users.get_mut(name).filter(|hash| *hash == from) {
            to.clone_into(hash);
        }
        Ok(())
    }

    async fn set_password(
        &self,
        name: &str,
        password_hash: &str,
        keep: Option<&str>,
        (actor, action): (&str, Action<'_>),
    ) -> Result<Option<Vec<String>>, StoreError> {
        let mut tables = self.tables();
        let Some(hash) = tables.users.get_mut(name) else { return Ok(None) };
        password_hash.clone_into(hash);
        let ended = tables.end_sessions(name, keep);
        tables.add_entry(actor, action);
        Ok(Some(ended))
    }

    async fn password_hash(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.tables().users.get(name).cloned())
    }

    async fn remove_user(
        &self,
        name: &str,
        (actor, action): (&str, Action<'_>),
    ) -> Result<Option<Vec<String>>, StoreError> {
        let mut tables = self.tables();
        if tables.users.remove(name).is_none() {
            return Ok(None);
        }
        tables.known_networks.retain(|(user, _)| user != name);
        let ended = tables.end_sessions(name, None);
        tables.add_entry(actor, action);
        Ok(Some(ended))
    }

    async fn users(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.tables().users.keys().cloned().collect())
    }
}
