//! The question before a migration is cancelled: in the dialog, and on a page of its own.

use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use model::MigrationId;

use crate::live::Live;
use crate::migrations::server_fns::Cancel;
use crate::ui::{
    dialog::Question,
    form::CancelButton,
    problem::Alert,
    server_form::{FormAction, ServerForm},
};

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
    let page = format!("/migrations/{id}");
    let navigate = use_navigate();
    let cancel = FormAction::of::<Cancel>();
    cancel.on_success({
        let page = page.clone();
        move |_| match close {
            Some(close) => close.run(()),
            None => navigate(&page, Default::default()),
        }
    });
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
    view! {
        <ServerForm action=cancel>
            <input type="hidden" name="id" value=id.to_string() />
            <p class="consequence">{consequence}</p>
            <div class="form-foot">
                <Alert problem=cancel.problem() />
                <div class="buttons">
                    <CancelButton close href=page autofocus=close.is_some() label="Keep migrating" />
                    <button class="button danger" disabled=cancel.pending()>
                        "Cancel the migration"
                    </button>
                </div>
            </div>
        </ServerForm>
    }
}
