//! `/migrations/{id}/step`: the question before a step is taken as a page, for browsers without WASM and for links.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use model::MigrationId;

use crate::live::Live;
use crate::migrations::step_form::{StepForm, step_title};
use crate::ui::{form_page::FormPage, not_found::Absent};

#[component]
pub(crate) fn StepPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get_str("id")?.parse::<MigrationId>().ok());
    // Only another address may rebuild the form: it is for the step that the person has read.
    move || {
        live.is_here.track();
        let asked = id.get().and_then(|id| Some((id, live.migrations.get_untracked(&id)?.get_untracked().step?)));
        match asked {
            None => view! { <Absent /> }.into_any(),
            Some((id, step)) => untrack(|| {
                view! {
                    <FormPage back="/migrations" back_label="Migrations" title=step_title(&step)>
                        <StepForm id step close=None />
                    </FormPage>
                }
                .into_any()
            }),
        }
    }
}
