//! The drawing. Its lines are stretched to the page's width; its words are not, so that they can be read on a phone.

use leptos::prelude::*;
use model::{Act, TracePoint, text};

use super::{
    acts::moment,
    axes::{Axes, SIZE},
    lines,
    marks::marks,
};

/// Where the lines begin, below the marks, in pixels.
const TOP: u64 = 28;
/// How high they are, in pixels.
const HEIGHT: u64 = 160;
/// Where the labels of the time are, in pixels.
const TIMES: u64 = TOP + HEIGHT + 18;

/// The drawing.
#[component]
pub(super) fn Plot(
    axes: Memo<Axes>,
    points: Signal<Vec<TracePoint>>,
    acts: Memo<Vec<Act>>,
    predicted: Memo<Option<(u64, u64)>>,
) -> impl IntoView {
    let path = move |path: fn(&Axes, &[TracePoint]) -> String| move || path(&axes.get(), &points.read());
    let summary = move || points.read().last().map(summary);
    view! {
        <svg class="plot" role="img" aria-label=summary>
            <svg
                y=TOP.to_string()
                width="100%"
                height=HEIGHT.to_string()
                viewBox=format!("0 0 {SIZE} {SIZE}")
                preserveAspectRatio="none"
            >
                <path class="area" d=path(lines::remaining) />
                {move || band(&axes.get(), predicted.get()).map(|(x, width)| view! { <Band x width /> })}
                <path class="grid" d=format!("M0 0H{SIZE}M0 {half}H{SIZE}M0 {SIZE}H{SIZE}", half = SIZE / 2) />
                <path class="passes" d=path(lines::passes) />
                <path class="dirty" d=path(lines::dirty) />
                <path class="throughput" d=path(lines::throughput) />
            </svg>
            <Scale axes />
            {move || times(&axes.get())}
            {move || marks_view(&axes.get(), &acts.read())}
        </svg>
    }
}

/// Where the predicted end is: the left edge and the width; none where it is outside.
fn band(axes: &Axes, predicted: Option<(u64, u64)>) -> Option<(u64, u64)> {
    const LEAST: u64 = 6;
    let (low, high) = predicted.filter(|(low, _)| *low < axes.to_ms)?;
    let x = axes.x(low).min(SIZE - LEAST);
    Some((x, axes.x(high).saturating_sub(x).max(LEAST)))
}

#[component]
fn Band(x: u64, width: u64) -> impl IntoView {
    view! { <rect class="band" x=x.to_string() y="0" width=width.to_string() height=SIZE.to_string() /> }
}

/// The upper edge in numbers: at the left that of the rates, at the right that of what is left.
#[component]
fn Scale(axes: Memo<Axes>) -> impl IntoView {
    let y = (TOP + 14).to_string();
    view! {
        <text x="4" y=y.clone()>
            {move || text::rate(axes.get().most_bytes_s)}
        </text>
        <text x="100%" dx="-4" y=y text-anchor="end">
            {move || format!("{} left", text::bytes(axes.get().most_bytes))}
        </text>
    }
}

fn times(axes: &Axes) -> impl IntoView + use<> {
    let label = |(x, words): (u64, String)| {
        let anchor = match x {
            0..50 => "start",
            950.. => "end",
            _ => "middle",
        };
        view! {
            <text x=percent(x) y=TIMES.to_string() text-anchor=anchor>
                {words}
            </text>
        }
    };
    axes.times().into_iter().map(label).collect_view()
}

fn marks_view(axes: &Axes, acts: &[Act]) -> impl IntoView + use<> {
    let bottom = (TOP + HEIGHT).to_string();
    let mark = |mark: super::marks::Mark| {
        view! {
            <line class="act" x1=percent(mark.x) x2=percent(mark.x) y1=(TOP - 6).to_string() y2=bottom.clone() />
            <text class="act" x=percent(mark.x) y=(TOP - 10).to_string() text-anchor="middle">
                {mark.label}
            </text>
        }
    };
    marks(axes, acts).into_iter().map(mark).collect_view()
}

/// A place as SVG has it for what is not stretched: `52.3%`.
fn percent(x: u64) -> String {
    format!("{}.{}%", x / 10, x % 10)
}

/// The latest point in a sentence, for screen readers.
fn summary(last: &TracePoint) -> String {
    format!(
        "After {}, in pass {}: {} left, throughput {}, guest writes {}. The table below has all numbers.",
        moment(last.elapsed_ms),
        last.pass.max(1),
        text::bytes(last.remaining),
        text::rate(last.throughput_bytes_s),
        if last.pass > 1 { text::rate(last.dirty_bytes_s) } else { "not measured yet".to_owned() },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predicted_end_is_a_band_inside_the_picture() {
        let axes = Axes { from_ms: 0, to_ms: 10_000, step_ms: 5_000, most_bytes_s: 1, most_bytes: 1 };
        assert_eq!(band(&axes, Some((5_000, 7_000))), Some((500, 200)));
        assert_eq!(band(&axes, Some((8_000, 90_000))), Some((800, 200)), "cut off");
        assert_eq!(band(&axes, Some((9_999, 9_999))), Some((994, 6)), "it can be seen");
        assert_eq!(band(&axes, Some((20_000, 30_000))), None);
        assert_eq!(band(&axes, None), None);
    }

    #[test]
    fn places_are_percentages() {
        assert_eq!([0, 523, SIZE].map(percent), ["0.0%", "52.3%", "100.0%"]);
    }
}
