//! Migrations of which it is not certain that exactly one copy of the VM runs: what the record says, and the step it offers.

use leptos::prelude::*;
use model::{Migration, MigrationId, Phase, Problem, Step, VmId};

use crate::live::Live;
use crate::migrations::step_form::step_question;
use crate::ui::{
    dialog::QuestionLink,
    icon::{Draw, Icon},
    problem::ProblemText,
};

/// The VMs whose latest migration needs attention, with that migration. Also where no host has the VM any more: that is why.
pub(crate) fn needing_attention(live: Live) -> Vec<Migration> {
    let mut latest: Vec<Migration> = Vec::new();
    // Ids grow with time.
    for migration in live.migrations.values().into_iter().rev() {
        if !latest.iter().any(|later| later.vm == migration.vm) {
            latest.push(migration);
        }
    }
    latest.retain(|migration| migration.phase == Phase::NeedsAttention);
    latest
}

/// The same, as what a row has to know. Computed once a page: each row looks itself up.
#[derive(Clone, Copy)]
pub(crate) struct Attention(Memo<Vec<(VmId, MigrationId)>>);

impl Attention {
    pub(crate) fn new(live: Live) -> Self {
        Self(Memo::new(move |_| {
            needing_attention(live).into_iter().map(|migration| (migration.vm, migration.id)).collect()
        }))
    }

    /// The migration that a person has to look at because of this VM.
    pub(crate) fn of(self, vm: VmId) -> Option<MigrationId> {
        self.0.read().iter().find(|(of, _)| *of == vm).map(|(_, id)| *id)
    }
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
