//! The axes of the picture: from when to when, and up to which rates and amounts.

use model::{TracePoint, text};

/// How wide and high the drawing is, in units of its own: the page stretches it.
pub(super) const SIZE: u64 = 1_000;

const MIB: u64 = 1 << 20;

/// So many steps of the time are labelled at most: as many as fit on a phone.
const MOST_STEPS: u64 = 4;

/// What the edges of the picture stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axes {
    /// The left edge, in ms since the migration was asked for.
    pub from_ms: u64,
    /// The right edge.
    pub to_ms: u64,
    /// The time between two labels, in ms.
    pub step_ms: u64,
    /// The upper edge for rates, in bytes a second.
    pub most_bytes_s: u64,
    /// The upper edge for what is left, in bytes.
    pub most_bytes: u64,
}

impl Axes {
    /// Axes for these points. While it grows, there is room at the right, up to a round time, so that the picture does not move with
    /// every sample; of a predicted end that is far away only a part is shown.
    pub(super) fn of(
        points: &[TracePoint],
        last_act_ms: Option<u64>,
        predicted: Option<(u64, u64)>,
        has_ended: bool,
    ) -> Self {
        let from_ms = points.first().map_or(0, |first| first.elapsed_ms);
        let last_ms = points.last().map_or(from_ms, |last| last.elapsed_ms);
        let reached_ms = last_ms.max(last_act_ms.unwrap_or_default()).max(from_ms + 1);
        let room_ms = if has_ended { reached_ms } else { reached_ms + (reached_ms - from_ms).max(1_000) };
        let end_ms = predicted.map_or(reached_ms, |(_, high)| high.clamp(reached_ms, room_ms));
        let step_ms = round_time((end_ms - from_ms).div_ceil(MOST_STEPS));
        let to_ms = if has_ended { end_ms } else { end_ms.next_multiple_of(step_ms) };
        let most_left = points.iter().map(|point| point.remaining).max();
        Self {
            from_ms,
            to_ms,
            step_ms,
            most_bytes_s: round_rate(fastest(points)),
            most_bytes: most_left.unwrap_or_default().max(1),
        }
    }

    /// Where a time is, from 0 at the left to [`SIZE`].
    pub(super) fn x(&self, elapsed_ms: u64) -> u64 {
        let span = (self.to_ms - self.from_ms).max(1);
        (elapsed_ms.saturating_sub(self.from_ms) * SIZE / span).min(SIZE)
    }

    /// Where a rate is, from 0 at the top to [`SIZE`].
    pub(super) fn y_of_rate(&self, bytes_s: u64) -> u64 {
        height(bytes_s, self.most_bytes_s)
    }

    /// Where an amount is, from 0 at the top to [`SIZE`].
    pub(super) fn y_of_amount(&self, bytes: u64) -> u64 {
        height(bytes, self.most_bytes)
    }

    /// The labels of the time: where, and what.
    pub(super) fn times(&self) -> Vec<(u64, String)> {
        let first = self.from_ms.next_multiple_of(self.step_ms);
        let mut times = Vec::new();
        let mut at = first;
        while at <= self.to_ms {
            times.push((self.x(at), if at == 0 { "0 s".to_owned() } else { text::duration(at) }));
            at += self.step_ms;
        }
        times
    }
}

/// The highest rate to be drawn, in bytes a second. In the last moment QEMU sends as fast as it can, whatever the limit: of such a peak
/// only the beginning is drawn, so that the rest is not flat.
fn fastest(points: &[TracePoint]) -> u64 {
    let mut rates: Vec<u64> = points.iter().map(|point| point.throughput_bytes_s.max(point.dirty_bytes_s)).collect();
    rates.sort_unstable();
    let Some(highest) = rates.last() else { return 0 };
    let usual = rates[(rates.len() - 1) * 95 / 100];
    if *highest > usual.saturating_mul(2) { usual } else { *highest }
}

fn height(value: u64, most: u64) -> u64 {
    let most = u128::from(most.max(1));
    SIZE - u64::try_from(u128::from(value).min(most) * u128::from(SIZE) / most).unwrap_or(SIZE)
}

/// The next longer time that reads well.
fn round_time(ms: u64) -> u64 {
    const TIMES_S: [u64; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_200, 1_800];
    const HOUR_MS: u64 = 3_600_000;
    match ms {
        0..=100 => 100,
        101..=200 => 200,
        201..=500 => 500,
        _ => {
            let rounded = TIMES_S.into_iter().map(|s| s * 1_000).find(|time| *time >= ms);
            rounded.unwrap_or_else(|| ms.next_multiple_of(HOUR_MS))
        }
    }
}

/// The next higher rate of 1, 2, 3, 4, 6 or 8 MiB/s, or ten times, a hundred times that: half of it is round, too.
fn round_rate(bytes_s: u64) -> u64 {
    let mut unit = MIB;
    loop {
        for factor in [1, 2, 3, 4, 6, 8] {
            if unit * factor >= bytes_s {
                return unit * factor;
            }
        }
        if unit > u64::MAX / 100 {
            return bytes_s;
        }
        unit *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(elapsed_ms: u64, mib_s: u64, left_mib: u64) -> TracePoint {
        TracePoint {
            elapsed_ms,
            pass: 1,
            remaining: left_mib * MIB,
            throughput_bytes_s: mib_s * MIB,
            dirty_bytes_s: 0,
            end_ms: None,
        }
    }

    #[test]
    fn a_picture_that_grows_ends_at_a_round_time() {
        let points = [point(1_000, 32, 258), point(13_000, 31, 100)];
        let axes = Axes::of(&points, None, None, false);
        assert_eq!((axes.from_ms, axes.to_ms, axes.step_ms), (1_000, 15_000, 5_000));
        assert_eq!((axes.most_bytes_s, axes.most_bytes), (40 * MIB, 258 * MIB));
        let ended = Axes::of(&points, Some(13_500), None, true);
        assert_eq!(ended.to_ms, 13_500);
    }

    #[test]
    fn a_far_end_does_not_squeeze_what_was_measured() {
        let points = [point(0, 32, 258), point(10_000, 31, 100)];
        assert_eq!(Axes::of(&points, None, Some((11_000, 14_000)), false).to_ms, 15_000);
        assert_eq!(Axes::of(&points, None, Some((500_000, 600_000)), false).to_ms, 20_000);
    }

    #[test]
    fn everything_is_inside() {
        let points = [point(1_000, 32, 258), point(13_000, 31, 0)];
        let axes = Axes::of(&points, None, None, true);
        assert_eq!((axes.x(0), axes.x(1_000), axes.x(13_000), axes.x(u64::MAX / SIZE)), (0, 0, SIZE, SIZE));
        assert_eq!((axes.y_of_amount(258 * MIB), axes.y_of_amount(0)), (0, SIZE));
        assert_eq!((axes.y_of_rate(u64::MAX), axes.y_of_rate(20 * MIB)), (0, 500));
    }

    #[test]
    fn labels_are_few_and_round() {
        for (seconds, words) in [
            (2, vec!["0 s", "500 ms", "1.0 s", "1.5 s", "2.0 s"]),
            (13, vec!["0 s", "5.0 s", "10 s"]),
            (130, vec!["0 s", "1 min", "2 min"]),
            (100_000, vec!["0 s", "7 h", "14 h", "21 h"]),
        ] {
            let axes = Axes::of(&[point(0, 1, 1), point(seconds * 1_000, 1, 1)], None, None, true);
            assert_eq!(axes.times().into_iter().map(|(_, words)| words).collect::<Vec<_>>(), words);
        }
    }

    #[test]
    fn rates_are_rounded_up() {
        let rounded = |mib| round_rate(mib * MIB) / MIB;
        assert_eq!([0, 1, 3, 32, 51, 501].map(rounded), [1, 1, 3, 40, 60, 600]);
        assert!(round_rate(u64::MAX / 2) >= u64::MAX / 2);
    }

    #[test]
    fn a_short_peak_does_not_make_the_rest_flat() {
        let mut points: Vec<_> = (0..99).map(|second| point(second * 1_000, 32, 1)).collect();
        points.push(point(99_000, 250, 1));
        assert_eq!(Axes::of(&points, None, None, true).most_bytes_s, 40 * MIB);
        let few = [point(0, 32, 1), point(1_000, 60, 1)];
        assert_eq!(Axes::of(&few, None, None, true).most_bytes_s, 60 * MIB);
    }

    #[test]
    fn nothing_is_a_picture_too() {
        let axes = Axes::of(&[], None, None, false);
        assert!(axes.to_ms > axes.from_ms && !axes.times().is_empty());
    }
}
