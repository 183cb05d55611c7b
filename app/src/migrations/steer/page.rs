//! `/migrations/{id}/steer`: the forms that steer a migration, or with `?steering[act]=` one question before it, as a page for browsers without
//! WASM and for links.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{Migration, MigrationId};

use crate::live::Live;
use crate::migrations::steer::{
    SteerCard,
    confirm::{ConfirmForm, confirm_title, confirmed},
};
use crate::ui::{form_page::FormPage, not_found::Absent};

#[component]
pub(crate) fn SteerPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let (params, query) = (use_params_map(), use_query_map());
    // A memo, so that the forms stay while the migration goes on.
    let asked = Memo::new(move |_| {
        let id: MigrationId = params.read().get_str("id")?.parse().ok()?;
        live.migrations.get(&id).map(|_| (id, query.read().get_str("steering[act]").and_then(confirmed)))
    });
    move || {
        let shown =
            asked.get().and_then(|(id, question)| Some((live.migrations.get_untracked(&id)?.into(), id, question)));
        match shown {
            None => view! { <Absent /> }.into_any(),
            Some((_, id, Some(steering))) => untrack(|| {
                view! {
                    <FormPage back="/migrations" back_label="Migrations" title=confirm_title(steering)>
                        <ConfirmForm id steering close=None />
                    </FormPage>
                }
                .into_any()
            }),
            Some((migration, _, None)) => untrack(|| view! { <Forms migration /> }.into_any()),
        }
    }
}

#[component]
fn Forms(migration: Signal<Migration>) -> impl IntoView {
    let Migration { id, vm_name, .. } = migration.get_untracked();
    view! {
        <FormPage back="/migrations" back_label="Migrations" title=format!("Steer the migration of {vm_name}")>
            <SteerCard migration />
            <p>
                <a class="button" href=format!("/migrations/{id}")>
                    "Show the migration"
                </a>
            </p>
        </FormPage>
    }
}
