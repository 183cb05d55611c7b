//! Why a migration will not end, with numbers, and what its policy does next. The server renders it, with the picture.

use leptos::prelude::*;
use model::{Migration, text};

use crate::migrations::running::next_act::next_act;

/// The warning, while there is one. The VM's memory, in bytes, decides how long its policy tries.
#[component]
pub(crate) fn Warning(migration: Migration, memory_bytes: Option<u64>) -> impl IntoView {
    let next = next_act(&migration, memory_bytes);
    text::convergence(&migration).map(|convergence| {
        view! {
            <div class="note note-warn">
                <div class="note-text">
                    <p>{convergence}</p>
                    <p class="next-act">{next}</p>
                </div>
            </div>
        }
    })
}
