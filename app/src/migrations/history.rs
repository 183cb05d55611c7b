//! What happened during a migration, in order.

use leptos::{prelude::*, task::spawn_local};
use model::{Migration, MigrationEvent, MigrationId};

use crate::migrations::server_fns::load_history;
use crate::ui::time::Time;

/// The history; it is loaded again whenever the phase or the problem changes, or something was done.
#[component]
pub(super) fn History(id: MigrationId, events: Vec<MigrationEvent>, migration: Signal<Migration>) -> impl IntoView {
    let events = RwSignal::new(events);
    let stage = Memo::new(move |_| {
        let migration = migration.read();
        (migration.phase, migration.cancel_requested, migration.problem.clone(), migration.acts.len())
    });
    Effect::new(move |before: Option<_>| {
        let now = stage.get();
        if before.is_some_and(|before| before != now) {
            spawn_local(async move {
                // A history that can't be loaded now is asked for again at the next phase.
                if let Ok(newer) = load_history(id).await {
                    events.try_set(newer);
                }
            });
        }
        now
    });
    let entry = |event: MigrationEvent| {
        view! {
            <li>
                <Time ms=event.at_ms />
                <span class="event">{event.text}</span>
            </li>
        }
    };
    view! {
        <section class="card">
            <h2>"History"</h2>
            <ol class="history">{move || events.get().into_iter().map(entry).collect_view()}</ol>
        </section>
    }
}
