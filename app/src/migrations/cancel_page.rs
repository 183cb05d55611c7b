//! `/migrations/{id}/cancel`: the question before a migration is cancelled as a page, for browsers without WASM and for links.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use model::MigrationId;

use crate::live::Live;
use crate::migrations::cancel_form::{CancelForm, cancel_title};
use crate::ui::{form_page::FormPage, not_found::Absent};

#[component]
pub(crate) fn CancelPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    // A memo, so that the form stays while the migration goes on.
    let asked = Memo::new(move |_| {
        let id: MigrationId = params.read().get_str("id")?.parse().ok()?;
        live.migrations.get(&id).map(|_| id)
    });
    move || match asked.get() {
        None => view! { <Absent /> }.into_any(),
        Some(id) => untrack(|| {
            view! {
                <FormPage back="/migrations" back_label="Migrations" title=cancel_title(live, id)>
                    <CancelForm id close=None />
                </FormPage>
            }
            .into_any()
        }),
    }
}
