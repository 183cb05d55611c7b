//! `/vms/{id}/{action}` and `/migrations/{id}/cancel`: the dialog's other questions as pages, for who has no WASM or came by a link.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::live::Live;
use crate::ui::Erased;
use crate::ui::dynamic;
use crate::ui::icon::Draw;
use crate::ui::icon::Icon;
use crate::ui::not_found::NotFound;
use crate::ui::question::Question;

#[component]
pub(crate) fn VmQuestionPage() -> impl IntoView {
    let params = use_params_map();
    page("/", "VMs", move || {
        let params = params.read();
        Question::about_vm(params.get_str("id")?.parse().ok()?, params.get_str("action")?)
    })
}

#[component]
pub(crate) fn MigrationQuestionPage() -> impl IntoView {
    let params = use_params_map();
    page("/migrations", "Migrations", move || {
        let params = params.read();
        let id = params.get_str("id")?.parse().ok()?;
        (params.get_str("action")? == "cancel").then_some(Question::Cancel(id))
    })
}

fn page(
    back: &'static str,
    back_label: &'static str,
    question: impl Fn() -> Option<Question> + Send + Sync + 'static,
) -> AnyView {
    let live = expect_context::<Live>();
    // A memo, so that the form stays while what it is about changes.
    let question = Memo::new(move |_| question().filter(|question| question.makes_sense(live)));
    dynamic(move || match question.get() {
        None => view! { <NotFound /> }.erased(),
        Some(question) => untrack(|| headed(back, back_label, question.title(live), question.form(None))),
    })
}

/// A page that is a form under its heading.
pub(crate) fn headed(back: &'static str, back_label: &'static str, title: String, form: AnyView) -> AnyView {
    view! {
        <Title text=title.clone() />
        <div class="narrow">
            <p class="back">
                <a href=back>
                    <Draw icon=Icon::Back />
                    {back_label}
                </a>
            </p>
            <h1>{title}</h1>
            {form}
        </div>
    }
    .erased()
}
