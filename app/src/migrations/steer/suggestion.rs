//! The numbers that the forms begin with.

use model::{Convergence, Migration, Steering};

use crate::migrations::pause_limit::pause_limit_ms;

/// A pause that lets it finish, in ms: a fifth more than what is needed now, or, where it is not known to be in need of one, twice what is
/// allowed. Rounded up to two digits, so that it does not change with every sample.
pub(super) fn longer_pause_ms(migration: &Migration) -> u32 {
    let allowed = u64::from(pause_limit_ms(migration));
    let wanted = match migration.progress.convergence {
        Convergence::NotConverging { needed_downtime_ms } => needed_downtime_ms.saturating_mul(6) / 5,
        Convergence::Unknown | Convergence::Converging => 0,
    };
    let wanted = if wanted > allowed { wanted } else { allowed.saturating_mul(2) };
    let most = u64::from(Steering::MOST_PAUSE_MS);
    u32::try_from(two_digits(wanted).clamp(1, most)).unwrap_or(Steering::MOST_PAUSE_MS)
}

/// Rounds up to two digits: 2,247 to 2,300.
fn two_digits(number: u64) -> u64 {
    let unit = 10_u64.pow(number.max(1).ilog10().saturating_sub(1));
    number.div_ceil(unit).saturating_mul(unit)
}

/// How long the guest would pause if it were paused until its memory is sent, in ms; none where nothing is sent now.
pub(super) fn pause_until_sent_ms(migration: &Migration) -> Option<u64> {
    let progress = &migration.progress;
    progress.bytes_remaining.saturating_mul(1_000).checked_div(progress.throughput_bytes_s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Progress, examples};

    fn in_need_of(needed_downtime_ms: u64) -> Migration {
        let convergence = Convergence::NotConverging { needed_downtime_ms };
        let progress = Progress { convergence, ..Progress::default() };
        Migration { pause_limit_ms: Some(1_000), progress, ..examples::migration(1) }
    }

    #[test]
    fn a_pause_is_suggested_that_suffices() {
        let cases =
            [(1_873, 2_300), (1_000, 1_200), (20_000, 24_000), (100, 2_000), (u64::MAX, Steering::MOST_PAUSE_MS)];
        for (needed, suggested) in cases {
            assert_eq!(longer_pause_ms(&in_need_of(needed)), suggested);
        }
        assert_eq!(longer_pause_ms(&examples::migration(1)), 600, "nothing is known, and QEMU allows 300 ms");
    }

    #[test]
    fn numbers_are_rounded_up_to_two_digits() {
        for (number, rounded) in [(0, 0), (7, 7), (99, 99), (101, 110), (2_247, 2_300), (9_901, 10_000)] {
            assert_eq!(two_digits(number), rounded);
        }
    }

    #[test]
    fn the_pause_of_a_guest_that_is_paused_now_is_known() {
        let mut migration = examples::migration(1);
        assert_eq!(pause_until_sent_ms(&migration), None);
        migration.progress.bytes_remaining = 64 << 20;
        migration.progress.throughput_bytes_s = 32 << 20;
        assert_eq!(pause_until_sent_ms(&migration), Some(2_000));
    }
}
