//! What was measured of a migration in the course of time, in as many points as are drawn and listed.

use model::TracePoint;

/// So many points are drawn at most: more than a picture has pixels for on a phone.
const MOST: usize = 240;

/// Drops every second point until there are few enough; the first and the last one stay.
pub(super) fn thinned(mut points: Vec<TracePoint>) -> Vec<TracePoint> {
    while points.len() > MOST {
        let last = points.len() - 1;
        points = points.into_iter().enumerate().filter(|(at, _)| at % 2 == 0 || *at == last).map(|(_, p)| p).collect();
    }
    points
}

/// At most `most` points, at even distances; the first and the last one are among them.
pub(super) fn sampled(points: &[TracePoint], most: usize) -> Vec<TracePoint> {
    let last = points.len().saturating_sub(1);
    let step = last.div_ceil(most.saturating_sub(1).max(1)).max(1);
    points.iter().enumerate().filter(|(at, _)| at % step == 0 || *at == last).map(|(_, point)| *point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(elapsed_ms: u64) -> TracePoint {
        TracePoint { elapsed_ms, pass: 1, remaining: 0, throughput_bytes_s: 0, dirty_bytes_s: 0, end_ms: None }
    }

    #[test]
    fn a_long_trace_is_thinned_evenly() {
        let points = thinned((0..10_000).map(point).collect());
        assert!((MOST / 3..=MOST).contains(&points.len()), "{}", points.len());
        assert_eq!((points[0].elapsed_ms, points.last().unwrap().elapsed_ms), (0, 9_999));
        assert!(points.is_sorted_by(|one, next| one.elapsed_ms < next.elapsed_ms));
    }

    #[test]
    fn a_table_has_the_first_and_the_last_point() {
        let points: Vec<_> = (0..240).map(point).collect();
        for most in [2, 3, 24] {
            let sampled = sampled(&points, most);
            assert!((2..=most).contains(&sampled.len()), "{} of {most}", sampled.len());
            assert_eq!((sampled[0].elapsed_ms, sampled.last().unwrap().elapsed_ms), (0, 239));
        }
        assert_eq!(sampled(&points[..1], 24), points[..1]);
        assert_eq!(sampled(&[], 24), []);
    }
}
