//! What commands and addresses of the configuration are told. Only the server knows of it.

use serde::{Deserialize, Serialize};

use crate::{EvacuationId, HookEventId, HostName};

/// That a host is empty, or that its VMs are home. Kept until it was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookEvent {
    /// Its id. Who hears an id again has heard it before: the console may have died meanwhile, and not know.
    pub id: HookEventId,
    /// What has happened.
    pub event: HookKind,
    /// The host.
    pub host: HostName,
    /// Why it was emptied, in the words of who asked.
    pub reason: String,
    /// Who asked.
    pub by: String,
    /// The evacuation.
    pub evacuation: EvacuationId,
    /// The evacuation that has brought the VMs home, if they are: what came of telling is in its history.
    pub home: Option<EvacuationId>,
    /// When it was so, in ms since 1970.
    pub at_ms: u64,
}

/// What has happened to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookKind {
    /// It is empty.
    Empty,
    /// Its VMs are home.
    Home,
}

impl HookKind {
    /// The kind as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Home => "home",
        }
    }
}
