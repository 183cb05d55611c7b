//! Names of variants come from two derives: serde writes them into JSON and the store, strum into sentences and queries. They agree.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Code, FindingCode, Phase, Severity, VmState};

/// Every variant has this name in JSON, and is read back from it.
fn agree<T>(all: &[T], name: impl Fn(T) -> String)
where
    T: Copy + PartialEq + std::fmt::Debug + Serialize + DeserializeOwned,
{
    for &variant in all {
        let json = serde_json::to_value(variant).unwrap();
        assert_eq!(json, name(variant));
        assert_eq!(serde_json::from_value::<T>(json).unwrap(), variant);
    }
    assert!(serde_json::from_str::<T>("\"no-such-thing\"").is_err());
}

#[test]
fn serde_and_strum_agree_on_every_name() {
    agree(Phase::ALL, |phase| phase.as_str().to_owned());
    agree(Code::ALL, |code| code.as_str().to_owned());
    agree(FindingCode::ALL, |code| code.as_str().to_owned());
    agree(Severity::ALL, |severity| severity.as_str().to_owned());
    // A state in words has a space where JSON has a hyphen, and sleep is called as people call it.
    agree(VmState::ALL, |state| state.as_str().replace(' ', "-").replace("asleep", "suspended"));
}

#[test]
fn names_that_programs_know_stay() {
    let phases: Vec<&str> = Phase::ALL.iter().map(|phase| phase.as_str()).collect();
    assert_eq!(
        phases.join(" "),
        "queued checking preparing copying-disks copying-memory converging switching-over post-copy verifying succeeded \
         failed cancelled moved-elsewhere needs-attention"
    );
    let states: Vec<&str> = VmState::ALL.iter().map(|state| state.as_str()).collect();
    assert_eq!(states, ["running", "paused", "shutting down", "shut off", "crashed", "asleep", "unknown"]);
    for (code, name) in [(Code::UnknownVm, "unknown-vm"), (Code::HostKeyUnknown, "host-key-unknown")] {
        assert_eq!(code.as_str(), name);
    }
}
