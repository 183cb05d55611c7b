//! What those who watch hosts say of them, and only as long as it is theirs to say.

use model::{HostDetails, VmId};

use super::{HostEntry, Inventory, Watch, host::Link};
use crate::hypervisor::{CopyFacts, HostConfig, HostError, HostErrorKind, HostFacts, Opened};

impl Inventory {
    /// How the host is reached now.
    ///
    /// # Errors
    /// `needs-login` if it wants a password and none has been typed.
    pub(crate) fn connect_config(&mut self, watch: &Watch) -> Result<HostConfig, HostError> {
        let entry = self.watched(watch).ok_or_else(|| HostError::unknown_host(watch.host.as_str()))?;
        entry.connect_config()
    }

    /// The host answered: what it is and has replaces what was known.
    pub(crate) fn connected(&mut self, watch: &Watch, opened: &Opened) {
        let Some(entry) = self.watched(watch) else { return };
        entry.connection = Some(opened.connection.clone());
        entry.facts = Some(opened.facts.clone());
        entry.link = Link::Connected;
        self.replace_copies(&watch.host, opened.copies.clone());
        self.arrivals.send_replace(());
    }

    /// The host does not answer. What it had is kept, as unknown; a password that it refused is not.
    pub(crate) fn unreachable(&mut self, watch: &Watch, error: HostError) {
        let now = self.clock.now_ms();
        let Some(entry) = self.watched(watch) else { return };
        if error.kind == HostErrorKind::LoginRefused {
            entry.login = None;
        }
        entry.lost(error, now);
        let affected: Vec<VmId> = entry.copies.keys().copied().collect();
        self.publish(affected);
        self.publish_host(&watch.host);
    }

    /// The host told everything again.
    pub(crate) fn refreshed(&mut self, watch: &Watch, facts: HostFacts, copies: Vec<CopyFacts>) {
        let Some(entry) = self.watched(watch) else { return };
        entry.facts = Some(facts);
        self.replace_copies(&watch.host, copies);
    }

    pub(super) fn watched(&mut self, watch: &Watch) -> Option<&mut HostEntry> {
        if watch.ended.is_cancelled() { None } else { self.hosts.get_mut(&watch.host) }
    }
}

impl HostEntry {
    /// The connection is lost.
    pub(super) fn lost(&mut self, error: HostError, now_ms: u64) {
        self.connection = None;
        let since_ms = match self.link {
            Link::Unreachable { since_ms, .. } => since_ms,
            _ => now_ms,
        };
        // One attempt after another fails for one reason.
        if !self.errors.iter().any(|(at, last)| *at == since_ms && last.sentence == error.sentence) {
            self.errors.push_front((since_ms, error.clone()));
            self.errors.truncate(HostDetails::ERRORS);
        }
        self.link = Link::Unreachable { since_ms, error };
    }

    /// Another watcher takes over.
    pub(super) fn watch_anew(&mut self) -> Watch {
        self.watch.ended.cancel();
        self.watch = Watch::new(&self.config.name);
        self.watch.clone()
    }
}
