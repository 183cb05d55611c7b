//! That a migration will not finish at this rate, with its numbers, and what is done about it.

use leptos::prelude::*;
use model::{Migration, text};

use crate::live::Live;
use crate::migrations::running::next_act::next_act;
use crate::ui::icon::{Draw, Icon};

/// The warning, while there is one.
#[component]
pub(super) fn Warning(migration: Signal<Migration>) -> impl IntoView {
    let live = expect_context::<Live>();
    let convergence = Memo::new(move |_| text::convergence(&migration.read()));
    let next = Memo::new(move |_| {
        let migration = migration.read();
        let vm = live.vms.value(&migration.vm);
        next_act(&migration, vm.map(|vm| vm.memory_bytes))
    });
    let is_shown = Memo::new(move |_| convergence.read().is_some());
    view! {
        <div role="status">
            <Show when=move || is_shown.get()>
                <div class="note note-warn">
                    <Draw icon=Icon::Warning />
                    <div class="note-text">
                        <p>{convergence}</p>
                        <p class="next-act">{next}</p>
                        <p>
                            <a href="#steer">"Steer it"</a>
                        </p>
                    </div>
                </div>
            </Show>
        </div>
    }
}
