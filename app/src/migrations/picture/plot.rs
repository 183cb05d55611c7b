//! The drawing. Its lines are stretched to the page's width; its words are not, so that they can be read on a phone.

use leptos::prelude::*;
use model::{Act, TracePoint, text};

use super::{
    acts::moment,
    axes::{Axes, SIZE},
    lines,
    marks::{Mark, marks},
};

/// Where the lines begin, below the marks, in pixels.
const TOP: u64 = 28;
/// How high they are, in pixels.
const HEIGHT: u64 = 160;
/// Where the labels of the time are, in pixels.
const TIMES: u64 = TOP + HEIGHT + 18;

/// The drawing. Its content is written as text, anew with each sample: as views it would be the largest part of the page's program.
#[component]
pub(super) fn Plot(
    axes: Memo<Axes>,
    points: Signal<Vec<TracePoint>>,
    acts: Memo<Vec<Act>>,
    predicted: Memo<Option<(u64, u64)>>,
) -> impl IntoView {
    let summary = move || points.read().last().map(summary);
    let drawing = move || drawing(&axes.get(), &points.read(), &acts.read(), predicted.get());
    view! { <svg class="plot" role="img" aria-label=summary inner_html=drawing></svg> }
}

/// The content of the SVG. Only numbers and words of the program are in it, nothing that anyone has typed.
fn drawing(axes: &Axes, points: &[TracePoint], acts: &[Act], predicted: Option<(u64, u64)>) -> String {
    let line = |class, path: String| format!(r#"<path class="{class}" d="{path}"/>"#);
    let half = SIZE / 2;
    let lines = [
        line("area", lines::remaining(axes, points)),
        band(axes, predicted).map(drawn_band).unwrap_or_default(),
        line("grid", format!("M0 0H{SIZE}M0 {half}H{SIZE}M0 {SIZE}H{SIZE}")),
        line("passes", lines::passes(axes, points)),
        line("dirty", lines::dirty(axes, points)),
        line("throughput", lines::throughput(axes, points)),
    ];
    let times = axes.times().into_iter().map(|(x, words)| drawn_time(x, &words));
    let marks = marks(axes, acts).into_iter().map(drawn_mark);
    format!(
        r#"<svg y="{TOP}" width="100%" height="{HEIGHT}" viewBox="0 0 {SIZE} {SIZE}" preserveAspectRatio="none">{}</svg>{}{}"#,
        lines.concat(),
        scale(axes),
        times.chain(marks).collect::<String>()
    )
}

/// Where the predicted end is: the left edge and the width; none where it is outside.
fn band(axes: &Axes, predicted: Option<(u64, u64)>) -> Option<(u64, u64)> {
    const LEAST: u64 = 6;
    let (low, high) = predicted.filter(|(low, _)| *low < axes.to_ms)?;
    let x = axes.x(low).min(SIZE - LEAST);
    Some((x, axes.x(high).saturating_sub(x).max(LEAST)))
}

fn drawn_band((x, width): (u64, u64)) -> String {
    format!(r#"<rect class="band" x="{x}" y="0" width="{width}" height="{SIZE}"/>"#)
}

/// The upper edge in numbers: at the left that of the rates, at the right that of what is left.
fn scale(axes: &Axes) -> String {
    let y = TOP + 14;
    let (rate, left) = (text::rate(axes.most_bytes_s), text::bytes(axes.most_bytes));
    format!(r#"<text x="4" y="{y}">{rate}</text><text x="100%" dx="-4" y="{y}" text-anchor="end">{left} left</text>"#)
}

fn drawn_time(x: u64, words: &str) -> String {
    let anchor = match x {
        0..50 => "start",
        950.. => "end",
        _ => "middle",
    };
    format!(r#"<text x="{}" y="{TIMES}" text-anchor="{anchor}">{words}</text>"#, percent(x))
}

fn drawn_mark(Mark { x, label }: Mark) -> String {
    let (x, top, bottom, above) = (percent(x), TOP - 6, TOP + HEIGHT, TOP - 10);
    format!(
        r#"<line class="act" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/><text class="act" x="{x}" y="{above}" text-anchor="middle">{label}</text>"#
    )
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
    use model::Acted;

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
    fn a_drawing_has_the_lines_the_band_and_the_marks() {
        let point = |elapsed_ms, remaining| TracePoint {
            elapsed_ms,
            pass: 2,
            remaining,
            throughput_bytes_s: 1 << 20,
            dirty_bytes_s: 1 << 20,
            end_ms: None,
        };
        let points = [point(0, 4 << 20), point(10_000, 0)];
        let acts = [Act { elapsed_ms: 5_000, what: Acted::BegunAgain, by: Some("<b>".to_owned()) }];
        let predicted = Some((12_000, 14_000));
        let svg = drawing(&Axes::of(&points, None, predicted, false), &points, &acts, predicted);
        for part in [
            r#"<path class="throughput" d="M0 0L666 0"/>"#,
            r#"<path class="area" d="M0 0L666 1000L666 1000L0 1000Z"/>"#,
            r#"<rect class="band" x="800" y="0" width="133" height="1000"/>"#,
            r#"<text class="act" x="33.3%" y="18" text-anchor="middle">1</text>"#,
            r#"<text x="66.6%" y="206" text-anchor="middle">10 s</text>"#,
            "4 MiB left",
        ] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
        assert!(!svg.contains("<b>"), "what a user is called is not drawn");
    }

    #[test]
    fn places_are_percentages() {
        assert_eq!([0, 523, SIZE].map(percent), ["0.0%", "52.3%", "100.0%"]);
    }
}
