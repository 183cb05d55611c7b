//! The numbers of the picture as a table, for those who can't see it or want to read them.

use leptos::prelude::*;
use model::{TracePoint, text};

use super::acts::moment;
use crate::migrations::trace::sampled;

/// So many rows at most.
const ROWS: usize = 24;

/// The table, folded away.
#[component]
pub(super) fn Table(points: Signal<Vec<TracePoint>>) -> impl IntoView {
    let rows = Memo::new(move |_| sampled(&points.read(), ROWS));
    let row = |point: TracePoint| {
        let TracePoint { elapsed_ms, pass, remaining, throughput_bytes_s, dirty_bytes_s, .. } = point;
        let written = if pass > 1 { text::rate(dirty_bytes_s) } else { "–".to_owned() };
        view! {
            <tr>
                <th scope="row">{moment(elapsed_ms)}</th>
                <td>{pass}</td>
                <td>{text::bytes(remaining)}</td>
                <td>{text::rate(throughput_bytes_s)}</td>
                <td>{written}</td>
            </tr>
        }
    };
    view! {
        <details class="numbers">
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
                    <tbody>
                        <For each=move || rows.get() key=|point| point.elapsed_ms children=row />
                    </tbody>
                </table>
            </div>
        </details>
    }
}
