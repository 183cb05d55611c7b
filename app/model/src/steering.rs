//! What a running migration can be told, and when.

use serde::{Deserialize, Serialize};

use crate::{Code, ControlFlow, Migration, Mode, Phase, Policy, Problem};

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
