//! The question before a migration is cancelled: in a dialog over its page, and on a page of its own.

use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use model::Migration;

use crate::api::migrations::Cancel;
use crate::components::{
    modal::CancelButton,
    problem::{Alert, failure_of},
};

/// Says what will happen, and does it.
#[component]
pub(crate) fn CancelForm(
    migration: Migration,
    /// Closes the dialog it is in.
    #[prop(optional, into)]
    close: Option<Callback<()>>,
) -> impl IntoView {
    let cancel = ServerAction::<Cancel>::new();
    let address = format!("/migrations/{}", migration.id);
    let navigate = use_navigate();
    Effect::new({
        let address = address.clone();
        move |_| {
            if let Some(Ok(_)) = cancel.value().get() {
                match close {
                    Some(close) => close.run(()),
                    None => navigate(&address, Default::default()),
                }
            }
        }
    });
    let Migration { id, vm_name, source, .. } = migration;
    view! {
        <ActionForm action=cancel>
            <input type="hidden" name="id" value=id.to_string() />
            <p>
                {format!("{vm_name} goes on at {source} as if nothing had been. What was sent so far is sent again next time.")}
            </p>
            <div class="form-foot"><Alert problem=failure_of(move || cancel.value().get()) />
            <div class="buttons">
                <CancelButton close autofocus=close.is_some() href=address>
                    "Let it go on"
                </CancelButton>
                <button class="button danger" disabled=cancel.pending()>
                    "Cancel the migration"
                </button>
            </div>
        </div></ActionForm>
    }
    .into_any()
}
