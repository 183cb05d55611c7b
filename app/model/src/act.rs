//! What was done to a running migration, and what was measured of it, for its picture.

use serde::{Deserialize, Serialize};

use crate::Policy;

/// What a policy or a person has done to a running migration, for the picture of it. The history has the sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// When, in ms since the migration was asked for.
    pub elapsed_ms: u64,
    /// What.
    #[serde(flatten)]
    pub what: Acted,
    /// Which user asked for it; none if the policy did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "acted", rename_all = "kebab-case")]
pub enum Acted {
    /// The pause may be so long, in ms.
    Pause {
        /// In ms.
        ms: u32,
    },
    /// The bandwidth limit is this, in MiB/s.
    Bandwidth {
        /// In MiB/s.
        mib_s: u32,
    },
    /// The guest's CPUs lose this part of their time, in percent.
    Slowed {
        /// In percent.
        percent: u8,
    },
    /// It began again, so that the guest can be slowed.
    BegunAgain,
    /// The VM continues at the destination.
    PostCopy,
    /// The guest was paused until the end.
    GuestPaused,
    /// Another policy is followed.
    Policy {
        /// Which.
        policy: Policy,
    },
    /// It was stopped, as it would not have finished.
    GaveUp,
    /// Post-copy had broken off, and goes on.
    Recovered,
}

impl Acted {
    /// What was done, for a mark in the picture.
    pub fn label(self) -> String {
        match self {
            Self::Pause { ms } => format!("Pause up to {}", crate::text::duration(ms.into())),
            Self::Bandwidth { mib_s } => format!("Limit {mib_s} MiB/s"),
            Self::Slowed { percent } => format!("Guest slowed by {percent} %"),
            Self::BegunAgain => "Began again".to_owned(),
            Self::PostCopy => "Post-copy".to_owned(),
            Self::GuestPaused => "Guest paused".to_owned(),
            Self::Policy { policy } => format!("Policy {}", policy.as_str()),
            Self::GaveUp => "Gave up".to_owned(),
            Self::Recovered => "Recovered".to_owned(),
        }
    }
}

/// What was measured of a migration at one moment, for the picture of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracePoint {
    /// When, in ms since the migration was asked for.
    pub elapsed_ms: u64,
    /// The pass over the memory; 0 while disks are copied.
    pub pass: u64,
    /// What was left to send, in bytes.
    pub remaining: u64,
    /// What the link carried, in bytes a second.
    pub throughput_bytes_s: u64,
    /// What the guest changed, in bytes a second; 0 until the second pass.
    pub dirty_bytes_s: u64,
    /// When the end was predicted to be, in ms since the migration was asked for; none if it was not predicted to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<(u64, u64)>,
}
