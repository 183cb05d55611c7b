//! What was measured of a migration in the course of time: loaded with its page, grown by each sample that the stream brings, and loaded
//! again once a lost stream is back.

use leptos::{
    prelude::{Update as _, *},
    task::spawn_local,
};
use model::{Migration, MigrationId, Phase, TimeLeft, TracePoint};

use crate::live::{Live, StreamState};
use crate::migrations::server_fns::load_migration;

/// So many points are kept at most: more than a picture has pixels for on a phone.
const MOST: usize = 240;

/// The trace, which grows as long as the migration runs.
pub(super) fn follow(loaded: Vec<TracePoint>, migration: Signal<Migration>) -> RwSignal<Vec<TracePoint>> {
    let points = RwSignal::new(thinned(loaded));
    Effect::new(move |_| {
        if let Some(point) = measured(&migration.read())
            && points.read_untracked().last().is_none_or(|last| last.elapsed_ms < point.elapsed_ms)
        {
            points.update(|points| grow(points, point));
        }
    });
    catch_up(migration.read_untracked().id, points);
    points
}

/// Loads what was measured while the stream was lost.
fn catch_up(id: MigrationId, points: RwSignal<Vec<TracePoint>>) {
    let stream = expect_context::<Live>().stream;
    Effect::new(move |was_lost: Option<bool>| {
        let (state, was_lost) = (stream.get(), was_lost.unwrap_or_default());
        if was_lost && state == StreamState::Live {
            spawn_local(async move {
                // Without an answer the picture has a straight line there, until the page is loaded again.
                if let Ok((_, _, loaded)) = load_migration(id.to_string()).await {
                    points.try_update(|points| *points = joined(loaded, points));
                }
            });
        }
        state == StreamState::Lost
    });
}

/// The points that were loaded, and those that the stream brought meanwhile.
fn joined(mut loaded: Vec<TracePoint>, streamed: &[TracePoint]) -> Vec<TracePoint> {
    let last_ms = loaded.last().map(|last| last.elapsed_ms);
    loaded.extend(streamed.iter().filter(|point| last_ms < Some(point.elapsed_ms)));
    thinned(loaded)
}

/// The latest sample as a point; none while no data is sent.
fn measured(migration: &Migration) -> Option<TracePoint> {
    let is_sent = matches!(
        migration.phase,
        Phase::CopyingDisks | Phase::CopyingMemory | Phase::Converging | Phase::SwitchingOver | Phase::PostCopy
    );
    let progress = &migration.progress;
    let end = |TimeLeft { low_ms, high_ms, .. }| (progress.elapsed_ms + low_ms, progress.elapsed_ms + high_ms);
    (is_sent && progress.bytes_total > 0).then(|| TracePoint {
        elapsed_ms: progress.elapsed_ms,
        pass: progress.memory_pass,
        remaining: progress.bytes_remaining,
        throughput_bytes_s: progress.throughput_bytes_s,
        dirty_bytes_s: progress.dirty_bytes_s,
        end_ms: progress.time_left.map(end),
    })
}

fn grow(points: &mut Vec<TracePoint>, point: TracePoint) {
    points.push(point);
    if points.len() > MOST {
        *points = thinned(std::mem::take(points));
    }
}

/// Drops every second point until there are few enough; the first and the last one stay.
fn thinned(mut points: Vec<TracePoint>) -> Vec<TracePoint> {
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
    use model::{Progress, examples};

    fn point(elapsed_ms: u64) -> TracePoint {
        TracePoint { elapsed_ms, pass: 1, remaining: 0, throughput_bytes_s: 0, dirty_bytes_s: 0, end_ms: None }
    }

    #[test]
    fn a_long_trace_is_thinned_evenly() {
        let mut points = Vec::new();
        for ms in 0..10_000 {
            grow(&mut points, point(ms));
            assert!(points.len() <= MOST);
            assert_eq!((points[0].elapsed_ms, points.last().unwrap().elapsed_ms), (0, ms));
        }
        assert!(points.len() > MOST / 3, "{}", points.len());
        assert!(points.is_sorted_by(|one, next| one.elapsed_ms < next.elapsed_ms));
        assert!(thinned((0..10_000).map(point).collect()).len() <= MOST);
    }

    #[test]
    fn what_the_stream_brought_while_the_trace_was_loaded_stays() {
        let loaded: Vec<_> = [0, 200, 400, 600].map(point).to_vec();
        let streamed = [0, 600, 800].map(point);
        let joined = joined(loaded, &streamed);
        assert_eq!(joined.iter().map(|point| point.elapsed_ms).collect::<Vec<_>>(), [0, 200, 400, 600, 800]);
        assert_eq!(super::joined(Vec::new(), &streamed), streamed);
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

    #[test]
    fn a_sample_is_a_point_while_data_is_sent() {
        let mut migration = examples::migration(1);
        migration.progress = Progress {
            elapsed_ms: 5_000,
            bytes_total: 100,
            bytes_remaining: 40,
            time_left: Some(TimeLeft { low_ms: 1_000, likely_ms: 2_000, high_ms: 3_000 }),
            ..Progress::default()
        };
        assert_eq!(measured(&migration), None, "it is queued");
        migration.phase = Phase::Converging;
        let point = measured(&migration).unwrap();
        assert_eq!((point.elapsed_ms, point.remaining, point.end_ms), (5_000, 40, Some((6_000, 8_000))));
    }
}
