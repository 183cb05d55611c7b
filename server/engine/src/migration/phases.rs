//! Which phase may follow which: the state machine that is drawn in [`super`].

use model::Phase;

/// Whether a migration in the phase `from` may enter the phase `to`.
pub(super) fn may_follow(from: Phase, to: Phase) -> bool {
    match to {
        Phase::Queued => false,
        Phase::Checking => from == Phase::Queued,
        Phase::Preparing => from == Phase::Checking,
        Phase::CopyingDisks | Phase::CopyingMemory | Phase::Converging | Phase::SwitchingOver | Phase::PostCopy => {
            (Phase::Preparing..to).contains(&from)
        }
        // A console that was restarted while it verified verifies again.
        Phase::Verifying => (Phase::Preparing..=Phase::Verifying).contains(&from),
        Phase::Succeeded | Phase::NeedsAttention => from == Phase::Verifying,
        Phase::Failed | Phase::Cancelled => !from.has_ended(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Phase::*, *};

    const ORDER: [Phase; 9] =
        [Queued, Checking, Preparing, CopyingDisks, CopyingMemory, Converging, SwitchingOver, PostCopy, Verifying];
    const ENDS: [Phase; 4] = [Succeeded, Failed, Cancelled, NeedsAttention];

    #[test]
    fn a_migration_only_goes_forward() {
        for (at, from) in ORDER.into_iter().enumerate() {
            for before in &ORDER[..at] {
                assert!(!may_follow(from, *before), "{from:?} to {before:?}");
            }
        }
    }

    #[test]
    fn an_end_is_an_end() {
        for from in ENDS {
            for to in ORDER.into_iter().chain(ENDS) {
                assert!(!may_follow(from, to), "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn success_is_only_said_after_both_hosts_were_asked() {
        for from in ORDER {
            for to in [Succeeded, NeedsAttention] {
                assert_eq!(may_follow(from, to), from == Verifying, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn nothing_moves_before_the_store_knows_that_it_is_prepared() {
        for to in &ORDER[3..] {
            assert!(!may_follow(Queued, *to) && !may_follow(Checking, *to), "{to:?}");
        }
    }
}
