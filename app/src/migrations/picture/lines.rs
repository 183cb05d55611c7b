//! The lines of the picture, as paths of an SVG.

use model::TracePoint;

use super::axes::{Axes, SIZE};

/// So many beginnings of a pass are drawn at most.
const MOST_PASSES: usize = 30;

/// What the link carried.
pub(super) fn throughput(axes: &Axes, points: &[TracePoint]) -> String {
    line(points.iter().map(|point| (axes.x(point.elapsed_ms), axes.y_of_rate(point.throughput_bytes_s))))
}

/// What the guest wrote, from the second pass on: before it is not known.
pub(super) fn dirty(axes: &Axes, points: &[TracePoint]) -> String {
    let known = points.iter().filter(|point| point.pass > 1);
    line(known.map(|point| (axes.x(point.elapsed_ms), axes.y_of_rate(point.dirty_bytes_s))))
}

/// The area under what was left.
pub(super) fn remaining(axes: &Axes, points: &[TracePoint]) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let top = points.iter().map(|point| (axes.x(point.elapsed_ms), axes.y_of_amount(point.remaining)));
    let bottom = [(axes.x(last.elapsed_ms), SIZE), (axes.x(first.elapsed_ms), SIZE)];
    line(top.chain(bottom)) + "Z"
}

/// A vertical line where each pass begins; only some of them where there are many.
pub(super) fn passes(axes: &Axes, points: &[TracePoint]) -> String {
    let begins = |pair: &&[TracePoint]| pair[1].pass > pair[0].pass && pair[1].pass > 1;
    let begun: Vec<u64> = points.windows(2).filter(begins).map(|pair| axes.x(pair[1].elapsed_ms)).collect();
    let every = begun.len().div_ceil(MOST_PASSES).max(1);
    begun.iter().step_by(every).map(|x| format!("M{x} 0V{SIZE}")).collect()
}

fn line(places: impl Iterator<Item = (u64, u64)>) -> String {
    let mut path = String::new();
    for (x, y) in places {
        let verb = if path.is_empty() { 'M' } else { 'L' };
        path.push_str(&format!("{verb}{x} {y}"));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn points() -> Vec<TracePoint> {
        let point = |elapsed_ms, pass, left_mib, dirty_mib_s| TracePoint {
            elapsed_ms,
            pass,
            remaining: left_mib * MIB,
            throughput_bytes_s: 30 * MIB,
            dirty_bytes_s: dirty_mib_s * MIB,
            end_ms: None,
        };
        vec![point(0, 1, 200, 0), point(5_000, 2, 100, 60), point(10_000, 2, 0, 45)]
    }

    fn axes() -> Axes {
        Axes::of(&points(), None, None, true)
    }

    #[test]
    fn rates_are_lines_on_one_scale() {
        assert_eq!(throughput(&axes(), &points()), "M0 500L500 500L1000 500");
        assert_eq!(dirty(&axes(), &points()), "M500 0L1000 250", "not before the second pass");
        assert_eq!(throughput(&axes(), &[]), "");
    }

    #[test]
    fn what_is_left_is_an_area() {
        assert_eq!(remaining(&axes(), &points()), "M0 0L500 500L1000 1000L1000 1000L0 1000Z");
        assert_eq!(remaining(&axes(), &[]), "");
    }

    #[test]
    fn each_pass_begins_with_a_line_unless_there_are_many() {
        assert_eq!(passes(&axes(), &points()), "M500 0V1000");
        let many: Vec<_> = (0..200).map(|pass| TracePoint { elapsed_ms: pass * 50, pass, ..points()[0] }).collect();
        let drawn = passes(&axes(), &many).matches('M').count();
        assert!((MOST_PASSES / 2..=MOST_PASSES).contains(&drawn), "{drawn}");
    }
}
