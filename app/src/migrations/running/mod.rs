//! What is known of a migration while it runs, and the button that cancels it.

mod figures;
mod logins;
#[cfg(feature = "ssr")]
mod next_act;
mod verdict;
#[cfg(feature = "ssr")]
mod warning;

use leptos::prelude::*;
use model::Migration;

use crate::live::Live;
use crate::migrations::{
    cancel_form::cancel_question,
    running::{figures::Figures, logins::logins, verdict::Verdict},
};
use crate::ui::dialog::QuestionLink;
#[cfg(feature = "ssr")]
pub(super) use warning::Warning;

/// The figures, and what can be done.
#[component]
pub(super) fn Running(migration: Signal<Migration>) -> impl IntoView {
    let live = expect_context::<Live>();
    let id = migration.read_untracked().id;
    // While it waits for a host, an admin who has cancelled before can cancel again, to give up.
    let cancel_requested = Memo::new(move |_| migration.read().cancel_requested && migration.read().problem.is_none());
    let cancel = move || {
        view! {
            <QuestionLink class="button danger" question=move || cancel_question(live, id)>
                "Cancel"
            </QuestionLink>
        }
    };
    view! {
        <Verdict migration />
        <Figures migration />
        <div class="buttons">
            {move || logins(live, &migration.read())}
            <Show when=move || cancel_requested.get() fallback=cancel>
                <p class="hint">"Cancelling: waiting for the source host to confirm."</p>
            </Show>
        </div>
    }
}
