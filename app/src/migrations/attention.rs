//! Migrations of which it is not certain that exactly one copy of the VM runs: what the record says, and the step it offers.

use leptos::prelude::*;
use model::{MigrationId, Problem, Step, VmId};

use crate::live::Live;
use crate::migrations::step_form::step_question;
use crate::ui::{
    dialog::QuestionLink,
    icon::{Draw, Icon},
    problem::ProblemText,
};

/// The migration that a person has to look at because of this VM.
pub(crate) fn in_doubt(live: Live, vm: VmId) -> Option<MigrationId> {
    live.summary.read().attention.iter().find(|attention| attention.vm == vm).map(|attention| attention.migration)
}

/// What needs attention, with the button that takes the step, and `children` beside it.
#[component]
pub(crate) fn AttentionNote(
    id: MigrationId,
    problem: Problem,
    step: Option<Step>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let has_buttons = step.is_some() || children.is_some();
    let buttons = has_buttons.then(|| {
        view! {
            <p class="buttons">
                {step.map(|step| view! { <StepLink id step /> })} {children.map(|children| children())}
            </p>
        }
    });
    view! {
        <div class="note note-alarm">
            <Draw icon=Icon::Warning />
            <div class="note-text">
                <ProblemText problem />
                {buttons}
            </div>
        </div>
    }
}

/// The button that takes the step, after a question.
#[component]
fn StepLink(id: MigrationId, step: Step) -> impl IntoView {
    let label = step.label();
    let step = StoredValue::new(step);
    view! {
        <QuestionLink class="button danger" question=move || step_question(id, step.get_value())>
            {label}
        </QuestionLink>
    }
}
