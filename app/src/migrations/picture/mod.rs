//! A picture of a migration: what the link carried and what the guest wrote, what was left, and what was done about it. It grows while
//! the migration runs, and stays with the record. The server renders it.

mod acts;
mod axes;
mod lines;
mod marks;
mod plot;
mod points;
mod table;

use leptos::prelude::*;
use model::{Ending, Migration, TracePoint};

use acts::Acts;
use axes::Axes;
use plot::Plot;
use points::thinned;
use table::Table;

use crate::migrations::running::Warning;

/// The picture with its legend, the list of acts, and the same numbers as a table.
#[component]
pub(super) fn Picture(
    migration: Migration,
    points: Vec<TracePoint>,
    /// Of the VM.
    memory_bytes: Option<u64>,
) -> impl IntoView {
    let (migration, points) = (Signal::stored(migration), Signal::stored(thinned(points)));
    let has_ended = Memo::new(move |_| migration.read().phase.has_ended());
    let has_points = Memo::new(move |_| points.read().len() > 1);
    let acts = Memo::new(move |_| migration.read().acts.clone());
    let predicted = Memo::new(move |_| predicted_end(&migration.read(), points.read().last()));
    let axes = Memo::new(move |_| {
        let last_act_ms = acts.read().last().map(|act| act.elapsed_ms);
        Axes::of(&points.read(), last_act_ms, predicted.get(), has_ended.get())
    });
    let none_yet = move || view! { <p class="hint">"It is drawn as soon as data is sent."</p> };
    let plot = move || {
        view! {
            <Legend />
            <Plot axes points acts predicted />
        }
    };
    view! {
        <Show when=move || has_points.get() || !has_ended.get()>
            <section class="card picture">
                <h2>"Over time"</h2>
                <Show when=move || has_points.get() fallback=none_yet>
                    {plot}
                </Show>
                {move || view! { <Warning migration=migration.get() memory_bytes /> }}
                <Acts acts />
                <Show when=move || has_points.get()>
                    <Table points />
                </Show>
            </section>
        </Show>
    }
}

/// When the end is predicted to be, in ms since the migration was asked for: while it runs, what is predicted now; of one that has ended,
/// what was predicted before it began.
fn predicted_end(migration: &Migration, last: Option<&TracePoint>) -> Option<(u64, u64)> {
    if !migration.phase.has_ended() {
        return last?.end_ms;
    }
    match migration.prediction?.ending {
        Ending::After { low_ms, high_ms, .. } => Some((low_ms, high_ms)),
        Ending::Never { .. } => None,
    }
}

#[component]
fn Legend() -> impl IntoView {
    let entry = |(kind, words): (&'static str, &'static str)| {
        view! {
            <li>
                <span class="swatch" data-line=kind></span>
                {words}
            </li>
        }
    };
    let entries = [
        ("throughput", "Throughput"),
        ("dirty", "Guest writes"),
        ("remaining", "Left to send"),
        ("pass", "New pass"),
        ("predicted", "Predicted end"),
    ];
    view! {
        <ul class="legend" aria-hidden="true">
            {entries.map(entry).collect_view()}
        </ul>
    }
}
