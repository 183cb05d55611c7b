//! Whether a migration will end by itself: at its top, in words that need no more room than what stands there before. The numbers, and what
//! is done about it, are with its picture (`warning.rs`).

use leptos::prelude::*;
use model::{Convergence, Migration, text};

use crate::ui::icon::{Draw, Icon};

/// The time left, or that it will not end.
#[component]
pub(super) fn Verdict(migration: Signal<Migration>) -> impl IntoView {
    let never_ends =
        Memo::new(move |_| matches!(migration.read().progress.convergence, Convergence::NotConverging { .. }));
    let time_left = move || match migration.read().progress.time_left {
        Some(left) => text::span(left.low_ms, left.high_ms),
        None => "not known yet".to_owned(),
    };
    view! {
        <div class="verdict">
            <div role="status">
                <p class="note note-warn" hidden=move || !never_ends.get()>
                    <Draw icon=Icon::Warning />
                    <span>"This will not end by itself. " <a href="#steer">"Steer it"</a></span>
                </p>
            </div>
            <p class="hint" hidden=move || never_ends.get()>
                "Time left: " {time_left}
            </p>
        </div>
    }
}
