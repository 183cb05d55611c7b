//! What a VM used within the last hour, as four small graphs. The server renders them.

use leptos::prelude::*;
use model::{UsagePoint, Vm, text};

/// The time that the graphs show, in ms.
const SPAN_MS: u64 = 3_600_000;
/// The time that they show at least: the first figures are no dot at an edge.
const LEAST_SPAN_MS: u64 = 60_000;
/// Without figures for so long, in ms, a line has a gap: they come every 5 s.
const GAP_MS: u64 = 16_000;
/// The drawing's width and height, in units of its own: the page stretches it.
const SIZE: f64 = 1_000.0;
/// The room above the highest and below the lowest value, so that a line at an edge is seen.
const MARGIN: f64 = 40.0;
/// The least upper edge of rates, in bytes a second, so that a few bytes are no mountain.
const LEAST_RATE: f64 = 65_536.0;

/// One line: what a point has of it.
type Value = fn(&UsagePoint) -> Option<f64>;

#[component]
pub(super) fn Graphs(vm: Vm, points: Vec<UsagePoint>) -> impl IntoView {
    if !vm.state.has_process() && points.is_empty() {
        return ().into_any();
    }
    let span_ms = span_ms(&points);
    let graph = |name: &'static str, value: Value, least_most: f64, words: &dyn Fn(f64) -> String| {
        let values = points.iter().filter_map(value);
        let most = values.fold(least_most, f64::max);
        let now = points.last().and_then(value).map_or_else(|| "–".to_owned(), words);
        let line = path(&points, value, most, span_ms);
        view! {
            <figure class="usage">
                <figcaption>
                    {name} " " <b>{now}</b>
                </figcaption>
                <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                    <path d=line />
                </svg>
                <small class="hint">{format!("up to {}", words(most))}</small>
            </figure>
        }
    };
    let rate = |bytes: f64| text::rate(bytes as u64);
    let graphs = [
        graph("CPU", |point| point.cpus.map(f64::from), f64::from(vm.vcpus), &cpus),
        graph("Memory", |point| point.memory_bytes.map(|bytes| bytes as f64), vm.memory_bytes as f64, &|bytes| {
            text::bytes(bytes as u64)
        }),
        graph("Disks", |point| point.disk_bytes_s.map(|bytes| bytes as f64), LEAST_RATE, &rate),
        graph("Network", |point| point.network_bytes_s.map(|bytes| bytes as f64), LEAST_RATE, &rate),
    ];
    view! {
        <section class="card usages" aria-label="What it uses of its host">
            {graphs}
            <p class="hint">
                {format!("The last {}. Figures are taken while this page is open.", text::duration(span_ms))}
            </p>
        </section>
    }
    .into_any()
}

/// CPUs with at most two decimals: `0.25 CPUs`.
fn cpus(cpus: f64) -> String {
    match (cpus * 100.0).round() / 100.0 {
        1.0 => "1 CPU".to_owned(),
        cpus => format!("{cpus} CPUs"),
    }
}

/// The time from the left edge to the newest point.
fn span_ms(points: &[UsagePoint]) -> u64 {
    let times = points.first().zip(points.last());
    let passed = times.map_or(0, |(first, last)| last.at_ms.saturating_sub(first.at_ms));
    // In whole minutes, so that the words do not change with each point.
    passed.next_multiple_of(60_000).clamp(LEAST_SPAN_MS, SPAN_MS)
}

/// The line: it ends at the right edge, and is broken where nothing is known.
fn path(points: &[UsagePoint], value: Value, most: f64, span_ms: u64) -> String {
    let end_ms = points.last().map_or(0, |last| last.at_ms);
    let mut line = String::new();
    let mut before_ms = None;
    for point in points {
        let age_ms = end_ms - point.at_ms.min(end_ms);
        let Some(value) = value(point).filter(|_| age_ms <= span_ms) else {
            before_ms = None;
            continue;
        };
        let goes_on = before_ms.is_some_and(|before| point.at_ms.saturating_sub(before) <= GAP_MS);
        let x = (SIZE * (1.0 - age_ms as f64 / span_ms as f64)).round();
        let y = (MARGIN + (SIZE - 2.0 * MARGIN) * (1.0 - (value / most).clamp(0.0, 1.0))).round();
        line.push_str(&format!("{}{x} {y}", if goes_on { 'L' } else { 'M' }));
        before_ms = Some(point.at_ms);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at_ms: u64, cpus: Option<f32>) -> UsagePoint {
        UsagePoint { at_ms, cpus, ..UsagePoint::default() }
    }

    #[test]
    fn a_line_is_broken_where_nothing_is_known() {
        let points = [
            point(0, None),
            point(5_000, Some(1.0)),
            point(10_000, Some(2.0)),
            point(15_000, None),
            point(20_000, Some(0.0)),
            point(100_000, Some(0.0)),
        ];
        let line = path(&points, |point| point.cpus.map(f64::from), 2.0, 100_000);
        assert_eq!(line, "M50 500L100 40M200 960M1000 960");
    }

    #[test]
    fn what_is_older_than_an_hour_is_outside() {
        let points = [point(0, Some(1.0)), point(4_000_000, Some(1.0))];
        assert_eq!(span_ms(&points), SPAN_MS);
        assert_eq!(path(&points, |point| point.cpus.map(f64::from), 1.0, SPAN_MS), "M1000 40");
        assert_eq!((span_ms(&[]), span_ms(&points[..1])), (LEAST_SPAN_MS, LEAST_SPAN_MS));
        assert_eq!([0.254, 1.0, 2.0].map(cpus), ["0.25 CPUs", "1 CPU", "2 CPUs"]);
    }
}
