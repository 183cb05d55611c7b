//! The audit log, in memory.

use async_trait::async_trait;

use super::{MemoryStore, Tables};
use crate::{Action, Audit, AuditEntry, AuditFilter, StoreError, clock::now_ms};

impl Tables {
    /// Adds an entry to the audit log.
    pub(super) fn add_entry(&mut self, actor: &str, action: Action<'_>) {
        self.audit.push(AuditEntry {
            number: self.audit.last().map_or(1, |last| last.number + 1),
            at: now_ms(),
            actor: actor.to_owned(),
            action: action.name().to_owned(),
            details: action.details().to_string(),
        });
    }
}

#[async_trait]
impl Audit for MemoryStore {
    async fn audit(&self, actor: &str, action: Action<'_>) -> Result<(), StoreError> {
        self.unless_broken()?;
        self.tables().add_entry(actor, action);
        Ok(())
    }

    async fn audit_entries(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        let tables = self.tables();
        let wanted = tables.audit.iter().rev().filter(|entry| {
            filter.actor.as_ref().is_none_or(|actor| *actor == entry.actor)
                && filter.action.as_ref().is_none_or(|action| *action == entry.action)
                && filter.before.is_none_or(|before| entry.number < before)
        });
        Ok(wanted.take(filter.limit as usize).cloned().collect())
    }
}
