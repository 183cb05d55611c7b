//! What a migration's policy does next about a guest that writes too fast. The engine decides so at the beginning of each pass over the
//! memory.

use model::{Convergence, Migration, Phase, Policy, text};

use crate::migrations::pause_limit::pause_limit_ms;

/// From so much on QEMU can't slow a guest noticeably further, in percent (its limit is 99).
const SLOWED_ENOUGH: u8 = 90;

/// What comes next, in a sentence; none while nothing has to be done, or can be. The VM's memory, in bytes, decides how long its policy
/// tries.
pub(super) fn next_act(migration: &Migration, memory_bytes: Option<u64>) -> Option<String> {
    let Convergence::NotConverging { needed_downtime_ms } = migration.progress.convergence else { return None };
    if !matches!(migration.phase, Phase::CopyingMemory | Phase::Converging) || migration.cancel_requested {
        return None;
    }
    let (policy, slowed) = (migration.policy, migration.progress.slowed_percent);
    let name = policy.as_str();
    if policy == Policy::Certain && migration.post_copy {
        return Some(format!("Next, {name} switches to post-copy."));
    }
    let longest = u64::from(migration.options.longest_pause_ms.unwrap_or(policy.longest_pause_ms()));
    let allowed = u64::from(pause_limit_ms(migration));
    if needed_downtime_ms <= longest && allowed < longest {
        return Some(format!("Next, {name} allows a pause of up to {}.", text::duration(longest)));
    }
    if migration.slows_guest && slowed < SLOWED_ENOUGH {
        return Some(match slowed {
            0 => "Next, QEMU slows the guest.".to_owned(),
            _ => format!("QEMU slows the guest by {slowed} %, and next further."),
        });
    }
    if policy == Policy::Certain {
        let pause = text::duration(needed_downtime_ms);
        return Some(format!("Next, {name} pauses the guest until its memory is sent, for about {pause}."));
    }
    let budget_s = migration.options.budget_s.map(u64::from).or(memory_bytes.map(Policy::budget_s));
    let budget = budget_s.map(|s| format!(" of {}", text::duration(s * 1_000)));
    Some(format!(
        "The policy {name} does no more than this, and gives up at the end of its budget{}. A longer pause or post-copy would \
         finish it.",
        budget.unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Progress, examples};

    fn needing(needed_downtime_ms: u64, policy: Policy) -> Migration {
        let convergence = Convergence::NotConverging { needed_downtime_ms };
        Migration {
            phase: Phase::Converging,
            policy,
            slows_guest: policy.slows_guest(),
            pause_limit_ms: Some(300),
            progress: Progress { convergence, ..Progress::default() },
            ..examples::migration(1)
        }
    }

    fn told(migration: &Migration) -> String {
        next_act(migration, Some(64 << 20)).unwrap_or_default()
    }

    #[test]
    fn what_finishes_needs_no_act() {
        let mut migration = needing(900, Policy::Balanced);
        migration.phase = Phase::SwitchingOver;
        assert_eq!(next_act(&migration, None), None);
        migration = Migration { phase: Phase::Converging, progress: Progress::default(), ..migration };
        assert_eq!(next_act(&migration, None), None);
    }

    #[test]
    fn balanced_allows_a_pause_and_then_slows_the_guest() {
        assert_eq!(told(&needing(900, Policy::Balanced)), "Next, balanced allows a pause of up to 1.0 s.");
        let mut migration = needing(1_900, Policy::Balanced);
        assert_eq!(told(&migration), "Next, QEMU slows the guest.");
        migration.progress.slowed_percent = 40;
        assert_eq!(told(&migration), "QEMU slows the guest by 40 %, and next further.");
        migration.progress.slowed_percent = 95;
        assert!(told(&migration).starts_with("The policy balanced does no more than this"), "{}", told(&migration));
    }

    #[test]
    fn gentle_gives_up() {
        let mut migration = needing(900, Policy::Gentle);
        assert!(told(&migration).contains("at the end of its budget of 5 min."), "{}", told(&migration));
        migration.options.budget_s = Some(60);
        assert_eq!(
            told(&migration),
            "The policy gentle does no more than this, and gives up at the end of its budget of 1 min. A longer pause or \
             post-copy would finish it."
        );
    }

    #[test]
    fn certain_finishes() {
        let mut migration = needing(1_900, Policy::Certain);
        migration.slows_guest = false;
        assert_eq!(told(&migration), "Next, certain pauses the guest until its memory is sent, for about 1.9 s.");
        migration.post_copy = true;
        assert_eq!(told(&migration), "Next, certain switches to post-copy.");
    }
}
