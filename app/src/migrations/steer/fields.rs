//! How forms write what a migration is told.

use model::{Code, Policy, Problem, Steering};
use serde::{Deserialize, Serialize};

/// [`Steering`] as fields: `steering[act]`, and `steering[ms]`, `steering[mib_s]` or `steering[policy]`.
///
/// A type of its own because forms send numbers as text, which serde does not read where a tag decides of which type they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SteeringFields {
    act: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ms: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mib_s: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<Policy>,
}

impl TryFrom<SteeringFields> for Steering {
    type Error = Problem;

    fn try_from(fields: SteeringFields) -> Result<Self, Problem> {
        serde_json::to_value(fields).and_then(serde_json::from_value).map_err(|error| {
            Problem::new(Code::InvalidInput, "Some fields are not valid.")
                .with_fix("Fill in the number, then send it again.")
                .with_details(error.to_string())
        })
    }
}

/// The value of `steering[act]`.
pub(super) fn act(steering: Steering) -> &'static str {
    match steering {
        Steering::Bandwidth { .. } => "bandwidth",
        Steering::LongestPause { .. } => "longest-pause",
        Steering::SlowGuest => "slow-guest",
        Steering::PostCopy => "post-copy",
        Steering::PauseGuest => "pause-guest",
        Steering::Policy { .. } => "policy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(steering: Steering) -> SteeringFields {
        let (mut ms, mut mib_s, mut policy) = (None, None, None);
        match steering {
            Steering::LongestPause { ms: chosen } => ms = Some(chosen),
            Steering::Bandwidth { mib_s: chosen } => mib_s = Some(chosen),
            Steering::Policy { policy: chosen } => policy = Some(chosen),
            Steering::SlowGuest | Steering::PostCopy | Steering::PauseGuest => {}
        }
        SteeringFields { act: act(steering).to_owned(), ms, mib_s, policy }
    }

    #[test]
    fn what_a_form_says_is_what_is_asked_for() {
        for steering in [
            Steering::Bandwidth { mib_s: 8 },
            Steering::LongestPause { ms: 2_300 },
            Steering::SlowGuest,
            Steering::PostCopy,
            Steering::PauseGuest,
            Steering::Policy { policy: Policy::Certain },
        ] {
            assert_eq!(Steering::try_from(fields(steering)), Ok(steering));
        }
    }

    #[test]
    fn a_number_that_is_missing_is_asked_for() {
        let empty = SteeringFields { ms: None, ..fields(Steering::LongestPause { ms: 1 }) };
        assert_eq!(Steering::try_from(empty).map_err(|problem| problem.code), Err(Code::InvalidInput));
    }
}
