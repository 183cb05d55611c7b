//! Which phase may follow which: the one table of the state machine, which the engine's journal and the store enforce and ARCHITECTURE.md
//! draws.

use crate::Phase;

impl Phase {
    /// The phases that may follow this one.
    ///
    /// Samples only go forward and may skip phases. A console that was restarted while it verified verifies again. What needs attention
    /// has ended, and is settled later if the hosts come to agree; where post-copy broke off, it goes on if a person recovers it.
    fn following(self) -> &'static [Self] {
        use Phase::{
            Cancelled, Checking, Converging, CopyingDisks, CopyingMemory, Failed, MovedElsewhere, NeedsAttention,
            PostCopy, Preparing, Queued, Succeeded, SwitchingOver, Verifying,
        };
        match self {
            Queued => &[Checking, Failed, Cancelled, MovedElsewhere],
            Checking => &[Preparing, Failed, Cancelled, MovedElsewhere],
            Preparing => &[
                CopyingDisks,
                CopyingMemory,
                Converging,
                SwitchingOver,
                PostCopy,
                Verifying,
                Failed,
                Cancelled,
                MovedElsewhere,
            ],
            CopyingDisks => {
                &[CopyingMemory, Converging, SwitchingOver, PostCopy, Verifying, Failed, Cancelled, MovedElsewhere]
            }
            CopyingMemory => &[Converging, SwitchingOver, PostCopy, Verifying, Failed, Cancelled, MovedElsewhere],
            Converging => &[SwitchingOver, PostCopy, Verifying, Failed, Cancelled, MovedElsewhere],
            SwitchingOver => &[PostCopy, Verifying, Failed, Cancelled, MovedElsewhere],
            PostCopy => &[Verifying, Failed, Cancelled, MovedElsewhere],
            Verifying => &[Verifying, Succeeded, Failed, Cancelled, MovedElsewhere, NeedsAttention],
            NeedsAttention => &[PostCopy, Succeeded, Failed, Cancelled, MovedElsewhere],
            Succeeded | Failed | Cancelled | MovedElsewhere => &[],
        }
    }

    /// Whether a migration in this phase may enter the phase `to`.
    pub fn may_become(self, to: Self) -> bool {
        self.following().contains(&to)
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fmt::Write as _, fs};

    use super::{Phase::*, *};

    const ENDS: [Phase; 5] = [Succeeded, Failed, Cancelled, MovedElsewhere, NeedsAttention];

    fn open() -> impl Iterator<Item = Phase> + Clone {
        Phase::ALL.iter().copied().filter(|phase| !phase.has_ended())
    }

    #[test]
    fn a_migration_only_goes_forward() {
        for from in open() {
            for before in open().filter(|before| *before < from) {
                assert!(!from.may_become(before), "{from:?} to {before:?}");
            }
        }
    }

    #[test]
    fn samples_may_skip_phases() {
        for from in open().filter(|from| *from >= Preparing) {
            for to in open().filter(|to| *to > from) {
                assert!(from.may_become(to), "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn an_end_is_an_end_unless_it_needs_attention() {
        for from in ENDS {
            for &to in Phase::ALL {
                let settles = from == NeedsAttention && to.has_ended() && to != NeedsAttention;
                let is_recovered = (from, to) == (NeedsAttention, PostCopy);
                assert_eq!(from.may_become(to), settles || is_recovered, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn success_is_only_said_after_both_hosts_were_asked() {
        for from in open() {
            for to in [Succeeded, NeedsAttention] {
                assert_eq!(from.may_become(to), from == Verifying, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn nothing_moves_before_the_store_knows_that_it_is_prepared() {
        for to in open().filter(|to| *to > Preparing) {
            assert!(!Queued.may_become(to) && !Checking.may_become(to), "{to:?}");
        }
    }

    const ARCHITECTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md");
    const BEGINS: &str = "```mermaid\nstateDiagram-v2\n";
    const ENDS_WITH: &str = "```\n";

    /// The table as a drawing: what may follow every open phase is drawn once, of ways that skip phases only the longest, and what goes on after its end last.
    fn drawing() -> String {
        let id = |phase: Phase| phase.as_str().replace('-', "_");
        let from_all = |to: Phase| open().all(|from| from.may_become(to));
        let skips = |from: Phase, to: Phase| {
            !to.has_ended() && open().any(|between| from < between && between < to && from.may_become(between))
        };
        let mut drawing = format!("{BEGINS}    [*] --> {}\n    state open {{\n", id(Queued));
        for from in open() {
            for &to in from.following().iter().filter(|to| !to.has_ended() && !skips(from, **to)) {
                writeln!(drawing, "        {} --> {}", id(from), id(to)).unwrap();
            }
        }
        drawing.push_str("    }\n");
        for to in ENDS {
            if from_all(to) {
                writeln!(drawing, "    open --> {}", id(to)).unwrap();
            }
            for &from in Phase::ALL.iter().filter(|from| from.may_become(to)) {
                if from.has_ended() || !from_all(to) {
                    writeln!(drawing, "    {} --> {}", id(from), id(to)).unwrap();
                }
            }
        }
        for from in ENDS {
            for &to in from.following().iter().filter(|to| !to.has_ended()) {
                writeln!(drawing, "    {} --> {}", id(from), id(to)).unwrap();
            }
        }
        drawing + ENDS_WITH
    }

    #[test]
    fn phases_are_drawn_as_they_are() {
        let page = fs::read_to_string(ARCHITECTURE).unwrap();
        let begins = page.find(BEGINS).expect("ARCHITECTURE.md draws the phases");
        let ends = begins + page[begins + BEGINS.len()..].find(ENDS_WITH).unwrap() + BEGINS.len() + ENDS_WITH.len();
        if env::var_os("UPDATE").is_some() {
            fs::write(ARCHITECTURE, [&page[..begins], &drawing(), &page[ends..]].concat()).unwrap();
            return;
        }
        assert!(
            page[begins..ends] == drawing(),
            "ARCHITECTURE.md is out of date: run `UPDATE=1 cargo test -p model phases_are_drawn`"
        );
    }
}
