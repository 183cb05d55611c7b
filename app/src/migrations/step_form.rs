//! The question before the step is taken that a migration offers which needs attention: in the dialog, and on a page of its own.

use leptos::prelude::*;
use model::{MigrationId, Step};

use crate::live::Live;
use crate::migrations::server_fns::TakeStep;
use crate::ui::{dialog::Question, question_form::QuestionForm, server_form::FormAction};

/// The question, for the dialog.
pub(crate) fn step_question(id: MigrationId, step: Step) -> Question {
    Question {
        href: format!("/migrations/{id}/step"),
        title: step_title(&step),
        form: Callback::new(move |close| view! { <StepForm id step=step.clone() close=Some(close) /> }.into_any()),
    }
}

/// The question in a line.
pub(crate) fn step_title(step: &Step) -> String {
    format!("{}?", step.label())
}

/// The values of the step's fields in the form.
fn fields(step: &Step) -> (&'static str, String) {
    let act = match step {
        Step::TurnOff { .. } => "turn-off",
        Step::Pause { .. } => "pause",
        Step::Resume { .. } => "resume",
        Step::Start { .. } => "start",
        Step::Undefine { .. } => "undefine",
        Step::Recover { .. } => "recover",
    };
    (act, step.host().to_string())
}

/// Says what will happen, and does it. The form keeps the step that it was opened with: if another one is safe by now, the engine
/// refuses this one.
#[component]
pub(crate) fn StepForm(
    id: MigrationId,
    step: Step,
    /// Closes the dialog it is in.
    close: Option<Callback<()>>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let (act, host) = fields(&step);
    let label = step.label();
    let is_harmless = matches!(step, Step::Pause { .. } | Step::Recover { .. });
    let consequence = move || live.migrations.value(&id).map(|migration| step.consequence(&migration));
    let take = FormAction::of::<TakeStep>();
    view! {
        <QuestionForm
            action=take
            fields=vec![("id", id.to_string()), ("step[act]", act.to_owned()), ("step[host]", host)]
            consequence=Signal::derive(consequence)
            hint="vmferry asks all hosts once more before it does this. If anything has changed, it does nothing."
            label
            is_harmless
            page=format!("/migrations/{id}")
            close
        />
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::HostName;

    #[test]
    fn a_step_is_written_in_forms_as_in_json() {
        let beta = || "beta".parse::<HostName>().unwrap();
        for step in [
            Step::TurnOff { host: beta() },
            Step::Pause { host: beta() },
            Step::Resume { host: beta() },
            Step::Start { host: beta() },
            Step::Undefine { host: beta() },
            Step::Recover { host: beta() },
        ] {
            let (act, host) = fields(&step);
            let json = format!("{{\"act\":\"{act}\",\"host\":\"{host}\"}}");
            assert_eq!(serde_json::from_str::<Step>(&json).unwrap(), step);
        }
    }
}
