//! Refusals and failures as a person reads them.

use leptos::{html, prelude::*};
use leptos_meta::Title;
use model::{Code, Finding, Problem, Severity};

use crate::stream::log_in_again;
use crate::ui::{
    icon::{Draw, Icon},
    wrong_field::tie,
};

/// A problem: what happened, what to do about it, and details to open.
#[component]
pub(crate) fn ProblemText(problem: Problem) -> impl IntoView {
    let Problem { sentence, fix, findings, migration, details, .. } = problem;
    // The sentence is, or ends with, that of the first finding.
    let others: Vec<Finding> = findings
        .into_iter()
        .filter(|finding| {
            !sentence.ends_with(&finding.text) && (finding.consent || finding.severity == Severity::Blocker)
        })
        .collect();
    view! {
        <p class="problem-sentence">{sentence}</p>
        {fix.map(|fix| view! { <p class="fix">{fix}</p> })}
        {(!others.is_empty()).then(|| view! { <OtherFindings findings=others /> })}
        {migration
            .map(|id| view! { <p class="fix"><a href=format!("/migrations/{id}")>"Show that migration"</a></p> })}
        {details.map(|details| view! { <Details details /> })}
    }
}

#[component]
fn OtherFindings(findings: Vec<Finding>) -> impl IntoView {
    let entry = |finding: Finding| {
        view! {
            <li>
                {finding.text}
                {finding.fix.map(|fix| view! { <p class="fix">{fix}</p> })}
            </li>
        }
    };
    view! { <ul class="found">{findings.into_iter().map(entry).collect_view()}</ul> }
}

/// The raw words of libvirt or another program, folded away.
#[component]
pub(crate) fn Details(details: String) -> impl IntoView {
    view! {
        <details class="raw">
            <summary>"Details"</summary>
            <pre>{details}</pre>
        </details>
    }
}

/// A problem in a box.
#[component]
pub(crate) fn ProblemNote(problem: Problem, #[prop(optional)] children: Option<Children>) -> impl IntoView {
    view! {
        <div class="note note-bad">
            <Draw icon=Icon::Warning />
            <div class="note-text">
                <ProblemText problem />
            </div>
            {children.map(|children| children())}
        </div>
    }
}

/// The place of a form's problem. Screen readers announce it when there is one, and the field that it is about refers to it.
#[component]
pub(crate) fn Alert(
    problem: Signal<Option<Problem>>,
    /// Puts the problem away before the next attempt.
    #[prop(optional)]
    dismiss: Option<Callback<()>>,
    /// Whether nobody has sent the form: then the focus stays where it is.
    #[prop(optional)]
    unasked: bool,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        let problem = problem.read();
        if problem.as_ref().is_some_and(|problem| problem.code == Code::Unauthenticated) {
            log_in_again();
        }
        if let Some(node) = node.get_untracked() {
            tie(&node, problem.as_ref().and_then(|problem| problem.field.as_deref()), !unasked);
        }
    });
    let button = move || {
        dismiss.map(|dismiss| {
            view! {
                <button type="button" class="icon-button" aria-label="Dismiss" on:click=move |_| dismiss.run(())>
                    <Draw icon=Icon::Close />
                </button>
            }
        })
    };
    view! {
        <div class="alert" role="alert" node_ref=node>
            {move || problem.get().map(|problem| view! { <ProblemNote problem>{button()}</ProblemNote> })}
        </div>
    }
}

/// A page that has nothing to show but a problem.
#[component]
pub(crate) fn ProblemPage(problem: Problem) -> impl IntoView {
    view! {
        <Title text=problem.sentence.clone() />
        <div class="empty">
            <h1>"Request failed"</h1>
            <ProblemText problem />
            <p>
                <a class="button" href="/">
                    "Back to the VMs"
                </a>
            </p>
        </div>
    }
}
