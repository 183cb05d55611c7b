//! `/migrations/{id}/cancel`: the confirmation of a cancel as a page, for who has no WASM.

use leptos::prelude::*;
use model::MigrationId;

use crate::api::{Failure, migrations::load_migration};
use crate::components::{cancel_form::CancelForm, frame::Heading, problem::ProblemPage};
use crate::pages::id_in_path;

#[component]
pub(crate) fn CancelPage() -> impl IntoView {
    let id = id_in_path::<MigrationId>();
    let loaded =
        Resource::new_blocking(move || id.get(), |id| async move { load_migration(id.map_err(Failure)?).await });
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match loaded.await {
                    Ok((migration, _)) => {
                        view! {
                            <div class="narrow">
                                <Heading
                                    title=format!("Cancel the migration of {}?", migration.vm_name)
                                    back="/migrations"
                                    back_label="Migrations"
                                />
                                <CancelForm migration />
                            </div>
                        }
                            .into_any()
                    }
                    Err(Failure(problem)) => view! { <ProblemPage problem /> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}
