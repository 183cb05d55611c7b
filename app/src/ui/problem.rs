//! Refusals and failures as a person reads them.

use leptos::prelude::*;
use model::{Code, Finding, Problem, Severity};

use crate::stream::log_in_again;
use crate::ui::Erased;
use crate::ui::icon::Draw;
use crate::ui::icon::Icon;

/// A problem: what happened, what to do about it, and the raw words for whoever opens them.
#[component]
pub(crate) fn ProblemText(mut problem: Problem) -> impl IntoView {
    // The sentence is that of the first finding.
    problem.findings.retain(|finding| {
        finding.text != problem.sentence && (finding.consent || finding.severity == Severity::Blocker)
    });
    view! {
        <p class="problem-sentence">{problem.sentence}</p>
        {problem.fix.map(|fix| view! { <p class="fix">{fix}</p> }.erased())}
        {(!problem.findings.is_empty()).then(|| findings(problem.findings))}
        {problem.migration.map(|id| view! { <p class="fix"><a href=format!("/migrations/{id}")>"Look at that migration"</a></p> }.erased())}
        {problem
            .details
            .map(|details| {
                view! {
                    <details class="raw">
                        <summary>"Details"</summary>
                        <pre>{details}</pre>
                    </details>
                }.erased()
            })}
    }
    .erased()
}

/// What else a preflight found, and what to do about it.
fn findings(findings: Vec<Finding>) -> AnyView {
    let entry = |finding: Finding| {
        view! {
            <li>
                {finding.text}
                {finding.fix.map(|fix| view! { <p class="fix">{fix}</p> }.erased())}
            </li>
        }
        .erased()
    };
    view! { <ul class="found">{findings.into_iter().map(entry).collect::<Vec<_>>()}</ul> }.erased()
}

/// A place where a problem is shown, and read aloud, when there is one.
#[component]
pub(crate) fn Alert(
    problem: RwSignal<Option<Problem>>,
    /// Whether it can be put away before the next attempt.
    #[prop(optional)]
    dismissable: bool,
) -> impl IntoView {
    Effect::new(move |_| {
        if problem.read().as_ref().is_some_and(|problem| problem.code == Code::Unauthenticated) {
            log_in_again();
        }
    });
    view! {
        <div class="alert" role="alert">
            {move || {
                problem
                    .get()
                    .map(|shown| {
                        view! {
                            <div class="note note-bad">
                                <Draw icon=Icon::Warning />
                                <div class="note-text">
                                    <ProblemText problem=shown />
                                </div>
                                {dismissable
                                    .then(|| {
                                        view! {
                                            <button
                                                type="button"
                                                class="icon-button"
                                                aria-label="Dismiss"
                                                on:click=move |_| problem.set(None)
                                            >
                                                <Draw icon=Icon::Close />
                                            </button>
                                        }.erased()
                                    })}
                            </div>
                        }.erased()
                    })
            }}
        </div>
    }
    .erased()
}

/// A page that has nothing to show but a problem.
#[component]
pub(crate) fn ProblemPage(problem: Problem) -> impl IntoView {
    view! {
        <leptos_meta::Title text=problem.sentence.clone() />
        <div class="empty">
            <h1>"This did not work"</h1>
            <ProblemText problem />
            <p>
                <a class="button" href="/">
                    "Back to the VMs"
                </a>
            </p>
        </div>
    }
    .erased()
}
