//! The one safe next step for a VM of which it is not certain that exactly one copy runs.

use serde::{Deserialize, Serialize};

use crate::{HostName, Migration};

/// What is to be done next, and to which copy.
///
/// It stands in the migration's record, so that a page offers what the engine has found to be safe; before the engine does it, it asks
/// all hosts again. No step lets a second copy run, whatever is or is not done later.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Step {
    /// Force off a copy that is not needed: another one is the VM.
    TurnOff {
        /// Where it is.
        host: HostName,
    },
    /// Pause one of two running copies, where it can't be told which of them is the VM. This can be undone.
    Pause {
        /// Where it runs.
        host: HostName,
    },
    /// Let a paused copy continue: no other one runs.
    Resume {
        /// Where it is paused.
        host: HostName,
    },
    /// Start the VM: all hosts say that they do not run it.
    Start {
        /// Where its definition is.
        host: HostName,
    },
    /// Remove the definition of a copy that is off: another host has the VM.
    Undefine {
        /// Where the definition is.
        host: HostName,
    },
    /// Let the rest of the memory follow: the VM runs at the destination, and its migration by post-copy broke off.
    Recover {
        /// Where the rest of it is: the source.
        host: HostName,
    },
}

impl Step {
    /// The host on which something is done.
    pub fn host(&self) -> &HostName {
        match self {
            Self::TurnOff { host }
            | Self::Pause { host }
            | Self::Resume { host }
            | Self::Start { host }
            | Self::Undefine { host }
            | Self::Recover { host } => host,
        }
    }

    /// The step as a button says it, and as the advice does: `Turn off the copy on beta`.
    pub fn label(&self) -> String {
        match self {
            Self::TurnOff { host } => format!("Turn off the copy on {host}"),
            Self::Pause { host } => format!("Pause the copy on {host}"),
            Self::Resume { host } => format!("Resume the VM on {host}"),
            Self::Start { host } => format!("Start the VM on {host}"),
            Self::Undefine { host } => format!("Remove the definition on {host}"),
            Self::Recover { host } => format!("Recover the migration from {host}"),
        }
    }

    /// What it does to the VM of a migration, in a sentence for the person who is about to do it.
    pub fn consequence(&self, migration: &Migration) -> String {
        let vm = migration.name_on(self.host());
        match self {
            Self::TurnOff { host } => {
                format!("The copy of {vm} on {host} is forced off, like pulling the power cord. Its memory is lost.")
            }
            Self::Pause { host } => format!("The copy of {vm} on {host} stops running. It can be resumed later."),
            Self::Resume { host } => format!("{vm} continues on {host} where it was paused."),
            Self::Start { host } => format!("{vm} boots on {host}."),
            Self::Undefine { host } => format!("{host} forgets {vm}. Images stay."),
            Self::Recover { host } => format!(
                "{host} sends the rest of the memory of {vm} to {}, where it runs on meanwhile. If that breaks off again, both copies stay \
                 as they are.",
                migration.destination
            ),
        }
    }

    /// What was done, for the history.
    pub fn done(&self, migration: &Migration) -> String {
        let vm = migration.name_on(self.host());
        match self {
            Self::TurnOff { host } => format!("The copy of {vm} on {host} was turned off."),
            Self::Pause { host } => format!("The copy of {vm} on {host} was paused."),
            Self::Resume { host } => format!("{vm} was resumed on {host}."),
            Self::Start { host } => format!("{vm} was started on {host}."),
            Self::Undefine { host } => format!("The definition of {vm} on {host} was removed."),
            Self::Recover { host } => {
                format!("{host} sends the rest of the memory of {vm} to {}.", migration.destination)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_short_in_json() {
        let step = Step::TurnOff { host: "beta".parse().unwrap() };
        let json = r#"{"act":"turn-off","host":"beta"}"#;
        assert_eq!(serde_json::to_string(&step).unwrap(), json);
        assert_eq!(serde_json::from_str::<Step>(json).unwrap(), step);
        assert!(serde_json::from_str::<Step>(r#"{"act":"turn-off","host":"a b"}"#).is_err(), "no name of a host");
    }
}
