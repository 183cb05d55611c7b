//! How far a live migration may go to finish.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// How far a live migration may go to finish.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Policy {
    /// Never slows the guest, and pauses it for 300 ms at most. Gives up within its budget when that does not finish.
    Gentle,
    /// Raises the pause to 1 s at most, then slows the guest.
    #[default]
    Balanced,
    /// Finishes: by post-copy where both hosts can, else by slowing the guest, else by pausing it as long as it takes.
    Certain,
}

impl Policy {
    /// All of them, the most careful first.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The policy as stored and as in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Its name on a page.
    pub fn label(self) -> &'static str {
        match self {
            Self::Gentle => "Gentle",
            Self::Balanced => "Balanced",
            Self::Certain => "Certain",
        }
    }

    /// What it does, in a line. Post-copy is promised only where it is possible.
    pub fn hint(self, allows_post_copy: bool) -> &'static str {
        match self {
            Self::Gentle => "Never slows the guest. Gives up if it writes too fast.",
            Self::Balanced => "Raises the pause to at most 1 s, then slows the guest.",
            Self::Certain if allows_post_copy => "Always finishes: by post-copy, or with a longer pause.",
            Self::Certain => "Always finishes: slows the guest, then pauses it until its memory is sent.",
        }
    }

    /// The longest pause that it allows by itself, in ms. Gentle's is QEMU's own default (`downtime-limit`), the others' is about what
    /// KubeVirt allows (`maxDowntimeMs`, 900 ms).
    pub fn longest_pause_ms(self) -> u32 {
        match self {
            Self::Gentle => 300,
            Self::Balanced | Self::Certain => 1_000,
        }
    }

    /// Whether QEMU may slow the guest's CPUs (auto-converge).
    pub fn slows_guest(self) -> bool {
        self != Self::Gentle
    }

    /// How long a migration of a VM with so much memory may try by default before its policy gives up, or pauses the guest: 150 s for
    /// each GiB, as KubeVirt's `completionTimeoutPerGiB`, but at least 300 s, so that a small guest gets some passes over a slow link.
    pub fn budget_s(memory_bytes: u64) -> u64 {
        memory_bytes.div_ceil(1 << 30).saturating_mul(150).max(300)
    }
}
