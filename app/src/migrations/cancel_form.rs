//! The question before a migration is cancelled: in the dialog, and on a page of its own.

use leptos::prelude::*;
use model::MigrationId;

use crate::live::Live;
use crate::migrations::server_fns::Cancel;
use crate::ui::{dialog::Question, question_form::QuestionForm, server_form::FormAction};

/// The question, for the dialog.
pub(crate) fn cancel_question(live: Live, id: MigrationId) -> Question {
    Question {
        href: format!("/migrations/{id}/cancel"),
        title: cancel_title(live, id),
        form: Callback::new(move |close| view! { <CancelForm id close=Some(close) /> }.into_any()),
    }
}

/// The question in a line.
pub(crate) fn cancel_title(live: Live, id: MigrationId) -> String {
    let name = live.migrations.value(&id).map(|migration| migration.vm_name);
    format!("Cancel the migration of {}?", name.as_deref().unwrap_or("this VM"))
}

/// Says what will happen, and does it.
#[component]
pub(crate) fn CancelForm(
    id: MigrationId,
    /// Closes the dialog it is in.
    close: Option<Callback<()>>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let consequence = move || {
        live.migrations.value(&id).map(|migration| {
            let (vm, source) = (migration.vm_name, migration.source);
            // It waits for a host that has to say where the VM is.
            if migration.problem.is_some() {
                return format!(
                    "The console stops asking the hosts where {vm} is. You then have to look on both yourself."
                );
            }
            format!("Unless it is too late, {vm} stays on {source}. The next migration starts from the beginning.")
        })
    };
    let cancel = FormAction::of::<Cancel>();
    view! {
        <QuestionForm
            action=cancel
            fields=vec![("id", id.to_string())]
            consequence=Signal::derive(consequence)
            label="Cancel the migration"
            back="Keep migrating"
            page=format!("/migrations/{id}")
            close
        />
    }
}
