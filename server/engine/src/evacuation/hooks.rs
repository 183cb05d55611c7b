//! Who is told when a host is empty, and when all is home. What is told how is the server's.

use async_trait::async_trait;
use model::{EvacuationId, HostName};

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookEvent {
    /// `empty` or `home`.
    pub event: &'static str,
    /// The host.
    pub host: HostName,
    /// Why it was emptied, in the words of who asked.
    pub reason: String,
    /// Who asked.
    pub by: String,
    /// The evacuation.
    pub evacuation: EvacuationId,
    /// When, in ms since 1970.
    pub at_ms: u64,
}

/// Tells commands and addresses of the configuration.
#[async_trait]
pub trait Hooks: Send + Sync {
    /// Tells all of them, and says what came of each, in a sentence. Ends by itself.
    async fn tell(&self, event: &HookEvent) -> Vec<String>;
}
