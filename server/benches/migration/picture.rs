//! The picture: for each kind of guest a bar for each schedule, as long as its median total time.

use std::fmt::Write;

use crate::{guest::KINDS, outcome::Mover, report::Report};

/// Sizes in pixels: the names' column, a kind's column, and a row.
const NAMES: u32 = 190;
const COLUMN: u32 = 130;
const ROW: u32 = 20;
const HEAD: u32 = 40;
/// The longest bar.
const BAR: f64 = 80.0;

/// Draws it.
pub(crate) fn draw(report: &Report) -> String {
    let (kinds, movers) = (report.kinds(), Mover::all().collect::<Vec<_>>());
    let (width, height) = (NAMES + COLUMN * kinds.len() as u32, HEAD + ROW * movers.len() as u32 + 30);
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Median total time of live migrations, by kind of guest and schedule</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (row, mover) in movers.iter().enumerate() {
        let y = HEAD + ROW * row as u32 + 14;
        let weight = if is_ours(*mover) { "bold" } else { "normal" };
        let _ =
            writeln!(picture, "<text x=\"8\" y=\"{y}\" font-weight=\"{weight}\" fill=\"#222\">{}</text>", mover.name());
    }
    for (column, kind) in kinds.iter().enumerate() {
        draw_kind(&mut picture, report, *kind, NAMES + COLUMN * column as u32, &movers);
    }
    let _ = write!(
        picture,
        "<text x=\"8\" y=\"{}\" fill=\"#555\">Median total time in seconds; dashed: did not end within {:.0} s, or gave up. \
         Bars of a column have one scale.</text>\n</svg>\n",
        height - 8,
        report.limit_s()
    );
    picture
}

fn draw_kind(picture: &mut String, report: &Report, kind: usize, left: u32, movers: &[Mover]) {
    let _ =
        writeln!(picture, "<text x=\"{left}\" y=\"24\" font-weight=\"bold\" fill=\"#222\">{}</text>", KINDS[kind].name);
    let totals: Vec<Option<f64>> = movers.iter().map(|mover| report.total_s(kind, *mover)).collect();
    let longest = totals.iter().flatten().copied().fold(0.1, f64::max);
    for (row, (mover, total)) in movers.iter().zip(&totals).enumerate() {
        let y = HEAD + ROW * row as u32;
        let was_tried = total.is_some() || report.did_not_end(kind, *mover);
        match total {
            Some(seconds) => {
                let (bar, colour) = (BAR * seconds / longest, if is_ours(*mover) { "#1a6fb5" } else { "#9aa5b1" });
                let mark = if report.did_not_end(kind, *mover) { " *" } else { "" };
                let _ = writeln!(
                    picture,
                    "<rect x=\"{left}\" y=\"{}\" width=\"{bar:.1}\" height=\"12\" fill=\"{colour}\"/><text x=\"{:.1}\" y=\"{}\" \
                     fill=\"#222\">{seconds:.1}{mark}</text>",
                    y + 4,
                    f64::from(left) + bar + 4.0,
                    y + 14
                );
            }
            None if was_tried => {
                let _ = writeln!(
                    picture,
                    "<rect x=\"{left}\" y=\"{}\" width=\"{BAR}\" height=\"12\" fill=\"none\" stroke=\"#b5361a\" stroke-dasharray=\"3 3\"/>\
                     <text x=\"{}\" y=\"{}\" fill=\"#b5361a\">no end</text>",
                    y + 4,
                    left + 18,
                    y + 14
                );
            }
            None => {}
        }
    }
}

fn is_ours(mover: Mover) -> bool {
    matches!(mover, Mover::Ours(_))
}
