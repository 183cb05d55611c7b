//! How far a live migration may go to finish, and what it can be told while it runs.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{Code, ControlFlow, Migration, Mode, Phase, Problem};

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

/// What a running migration is told by a person or a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", from = "Told")]
pub enum Steering {
    /// Use at most this much of the network from now on.
    Bandwidth {
        /// In MiB/s, 1 to 1,000,000.
        mib_s: u32,
    },
    /// Let the guest pause for so long.
    LongestPause {
        /// In ms, 1 to [`Self::MOST_PAUSE_MS`].
        ms: u32,
    },
    /// Slow the guest, so that it writes less.
    SlowGuest,
    /// Let the guest continue at the destination now; what is left of its memory follows.
    PostCopy,
    /// Pause the guest now, until all of its memory is sent.
    PauseGuest,
    /// Follow another policy from now on.
    Policy {
        /// Which.
        policy: Policy,
    },
}

/// What is read: serde refuses a field too many of a variant that could have fields only.
#[derive(Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
enum Told {
    Bandwidth { mib_s: u32 },
    LongestPause { ms: u32 },
    SlowGuest {},
    PostCopy {},
    PauseGuest {},
    Policy { policy: Policy },
}

impl From<Told> for Steering {
    fn from(told: Told) -> Self {
        match told {
            Told::Bandwidth { mib_s } => Self::Bandwidth { mib_s },
            Told::LongestPause { ms } => Self::LongestPause { ms },
            Told::SlowGuest {} => Self::SlowGuest,
            Told::PostCopy {} => Self::PostCopy,
            Told::PauseGuest {} => Self::PauseGuest,
            Told::Policy { policy } => Self::Policy { policy },
        }
    }
}

impl Steering {
    /// The longest pause that can be allowed, in ms: QEMU's own limit (`MAX_MIGRATE_DOWNTIME`).
    pub const MOST_PAUSE_MS: u32 = 2_000_000;
    /// The longest budget, in s: a week.
    pub const MOST_BUDGET_S: u32 = 7 * 24 * 60 * 60;
    /// The highest bandwidth limit, in MiB/s.
    pub const MOST_BANDWIDTH_MIB_S: u32 = 1_000_000;

    /// What it does, for a button.
    pub fn label(self) -> &'static str {
        match self {
            Self::Bandwidth { .. } => "Change the bandwidth limit",
            Self::LongestPause { .. } => "Allow a longer pause",
            Self::SlowGuest => "Slow the guest",
            Self::PostCopy => "Switch to post-copy",
            Self::PauseGuest => "Pause the guest and finish",
            Self::Policy { .. } => "Change the policy",
        }
    }

    /// What was asked for, for the history: `ada asked to …`.
    pub fn asked(self) -> String {
        match self {
            Self::Bandwidth { mib_s } => format!("to use at most {mib_s} MiB/s"),
            Self::LongestPause { ms } => format!("to allow a pause of {}", crate::text::duration(ms.into())),
            Self::SlowGuest => "to slow the guest".to_owned(),
            Self::PostCopy => "to switch to post-copy".to_owned(),
            Self::PauseGuest => "to pause the guest until its memory is sent".to_owned(),
            Self::Policy { policy } => format!("for the policy {}", policy.as_str()),
        }
    }

    /// Why a migration can't be told this now; none if it can. The engine refuses by it, and the page disables buttons by it, so that
    /// both say the same.
    pub fn refusal(self, migration: &Migration) -> Option<Problem> {
        let (vm, phase) = (&migration.vm_name, migration.phase);
        let refused = |sentence: String, fix: &str| Some(Problem::new(Code::WrongState, sentence).with_fix(fix));
        if phase.has_ended() {
            return Some(Problem::new(Code::AlreadyEnded, format!("The migration of {vm} has ended.")));
        }
        if migration.mode == Mode::Offline {
            return refused(
                format!("{vm} is shut off: only its definition and disks move."),
                "There is nothing to steer.",
            );
        }
        if phase >= Phase::Verifying {
            return refused(
                "Its data has been sent; the hosts are asked where the VM runs.".to_owned(),
                "Wait for its end.",
            );
        }
        if migration.cancel_requested {
            return refused("The migration is being cancelled.".to_owned(), "Wait for its end, and start another one.");
        }
        if phase == Phase::PostCopy && !matches!(self, Self::Bandwidth { .. }) {
            let sentence =
                format!("{vm} runs on {} already: only the bandwidth can be changed.", migration.destination);
            return refused(sentence, "Wait until the rest of its memory has followed.");
        }
        let is_sending = matches!(phase, Phase::CopyingMemory | Phase::Converging);
        match self {
            Self::Policy { .. } => None,
            Self::LongestPause { .. } if phase < Phase::SwitchingOver => None,
            Self::Bandwidth { .. } if phase == Phase::PostCopy => None,
            // libvirt has no call that changes the speed of a disk's mirror.
            Self::Bandwidth { .. } if phase == Phase::CopyingDisks => refused(
                "libvirt can't change the bandwidth while it copies disks.".to_owned(),
                "Wait until memory is copied.",
            ),
            _ if phase < Phase::CopyingDisks => {
                refused("No data is sent yet.".to_owned(), "Wait until the migration copies memory.")
            }
            _ if phase == Phase::SwitchingOver => refused(format!("{vm} is switching over."), "Wait for its end."),
            _ if phase == Phase::CopyingDisks => {
                refused("Disks are copied first.".to_owned(), "Wait until the migration copies memory.")
            }
            Self::PostCopy if migration.control_flow == Some(ControlFlow::Direct) => {
                let sentence = "This migration ends with the console (direct), and post-copy would break off with it.".to_owned();
                refused(sentence, "Allow a longer pause.")
            }
            Self::PostCopy if migration.control_flow == Some(ControlFlow::Tunnelled) || migration.options.rdma => {
                let sentence = "Post-copy is not possible through the libvirt daemons, nor by RDMA.".to_owned();
                refused(sentence, "Allow a longer pause.")
            }
            Self::PostCopy if !migration.post_copy && !migration.disks.is_empty() => refused(
                "Post-copy was not prepared: the migration would have to begin again, and its disks be copied once more.".to_owned(),
                "Allow a longer pause, or cancel it and start it with the policy certain.",
            ),
            Self::SlowGuest if migration.slows_guest => refused(
                "QEMU slows the guest already, as far as it has to.".to_owned(),
                "Allow a longer pause if that does not suffice.",
            ),
            Self::SlowGuest if !migration.disks.is_empty() => refused(
                "To slow the guest, libvirt has to begin the migration again, and its disks would be copied once more."
                    .to_owned(),
                "Allow a longer pause, or cancel it and start it with the policy balanced.",
            ),
            _ if is_sending => None,
            _ => refused(
                format!("This is not possible while it is {}.", phase.label().to_lowercase()),
                "Wait for its end.",
            ),
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_more() {
        let policy = Policy::Certain;
        for steering in [
            Steering::Bandwidth { mib_s: 8 },
            Steering::LongestPause { ms: 500 },
            Steering::SlowGuest,
            Steering::PostCopy,
            Steering::PauseGuest,
            Steering::Policy { policy },
        ] {
            let mut written = serde_json::to_value(steering).unwrap();
            assert_eq!(serde_json::from_value::<Steering>(written.clone()).unwrap(), steering);
            written["more"] = serde_json::json!(1);
            assert!(serde_json::from_value::<Steering>(written).is_err(), "{steering:?}");
        }
    }
}
