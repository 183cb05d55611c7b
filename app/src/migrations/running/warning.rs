//! Whether a migration will end by itself. That it will not is told at its top in words that need no more room than what stands there
//! before; the numbers, and what is done about it, are where it is steered.

use leptos::prelude::*;
use model::{Convergence, Migration, text};

use crate::live::Live;
use crate::migrations::running::next_act::next_act;
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

/// Why it will not end, with numbers, and what its policy does next.
#[component]
pub(crate) fn Warning(migration: Signal<Migration>) -> impl IntoView {
    let live = expect_context::<Live>();
    let convergence = Memo::new(move |_| text::convergence(&migration.read()));
    let next = Memo::new(move |_| {
        let migration = migration.read();
        let vm = live.vms.value(&migration.vm);
        next_act(&migration, vm.map(|vm| vm.memory_bytes))
    });
    view! {
        <div class="note note-warn" hidden=move || convergence.read().is_none()>
            <div class="note-text">
                <p>{convergence}</p>
                <p class="next-act">{next}</p>
            </div>
        </div>
    }
}
