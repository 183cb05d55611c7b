//! The question before a migration is cancelled: in the dialog, and on a page of its own.

use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use model::MigrationId;

use crate::live::Live;
use crate::migrations::server_fns::Cancel;
use crate::ui::Erased;
use crate::ui::form::CancelButton;
use crate::ui::form::PostForm;
use crate::ui::post::Post;
use crate::ui::problem::Alert;

/// Says what will happen, and does it.
#[component]
pub(crate) fn CancelForm(
    id: MigrationId,
    /// Closes the dialog it is in.
    close: Option<Callback<()>>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let address = format!("/migrations/{id}");
    let navigate = use_navigate();
    let cancel = Post::to::<Cancel>({
        let address = address.clone();
        move |_| match close {
            Some(close) => close.run(()),
            None => navigate(&address, Default::default()),
        }
    });
    let consequence = move || {
        live.migrations.value(&id).map(|migration| {
            let (vm, source) = (migration.vm_name, migration.source);
            // It waits for a host that has to say where the VM is.
            if migration.problem.is_some() {
                return format!("Nobody asks any more where {vm} is: find out and look after it yourself.");
            }
            format!("{vm} goes on at {source} as if nothing had been. What was sent so far is sent again next time.")
        })
    };
    view! {
        <PostForm post=cancel>
            <input type="hidden" name="id" value=id.to_string() />
            <p class="consequence">{move || consequence()}</p>
            <div class="form-foot">
                <Alert problem=cancel.problem />
                <div class="buttons">
                    <CancelButton close href=address autofocus=close.is_some() label="Let it go on" />
                    <button class="button danger" disabled=cancel.pending>
                        "Cancel the migration"
                    </button>
                </div>
            </div>
        </PostForm>
    }
    .erased()
}
