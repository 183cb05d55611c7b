//! The numbers of the picture as a table, for those who can't see it or want to read them.

use leptos::prelude::*;
use model::{TracePoint, text};

use super::{acts::moment, points::sampled};

/// So many rows at most.
const ROWS: usize = 24;

/// The table, folded away.
#[component]
pub(super) fn Table(points: Signal<Vec<TracePoint>>) -> impl IntoView {
    let rows = move || sampled(&points.read(), ROWS).iter().map(row).collect::<String>();
    view! {
        <details class="numbers" id="numbers">
            <summary>"As a table"</summary>
            <div class="numbers-scroll" tabindex="0" role="region" aria-label="The numbers of the picture">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"After"</th>
                            <th scope="col">"Pass"</th>
                            <th scope="col">"Left"</th>
                            <th scope="col">"Throughput"</th>
                            <th scope="col">"Guest writes"</th>
                        </tr>
                    </thead>
                    <tbody inner_html=rows></tbody>
                </table>
            </div>
        </details>
    }
}

/// A row as HTML: only numbers and words of the program are in it.
fn row(point: &TracePoint) -> String {
    let TracePoint { elapsed_ms, pass, remaining, throughput_bytes_s, dirty_bytes_s, .. } = *point;
    let written = if pass > 1 { text::rate(dirty_bytes_s) } else { "–".to_owned() };
    let cells = [pass.to_string(), text::bytes(remaining), text::rate(throughput_bytes_s), written];
    format!(r#"<tr><th scope="row">{}</th><td>{}</td></tr>"#, moment(elapsed_ms), cells.join("</td><td>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_guest_writes_is_not_known_in_the_first_pass() {
        let point = TracePoint {
            elapsed_ms: 1_500,
            pass: 1,
            remaining: 3 << 20,
            throughput_bytes_s: 1 << 20,
            dirty_bytes_s: 0,
            end_ms: None,
        };
        let html = r#"<tr><th scope="row">1.5 s</th><td>1</td><td>3 MiB</td><td>1 MiB/s</td><td>–</td></tr>"#;
        assert_eq!(row(&point), html);
    }
}
