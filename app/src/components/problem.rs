//! Refusals and failures as a person reads them.

use leptos::prelude::*;
use model::{Code, Problem};

use crate::components::icon::{Draw, Icon};
use crate::stream::log_in_again;

/// A problem: what happened, what to do about it, and the raw words for whoever opens them.
#[component]
pub(crate) fn ProblemText(problem: Problem) -> impl IntoView {
    view! {
        <p class="problem-sentence">{problem.sentence}</p>
        {problem.fix.map(|fix| view! { <p class="fix">{fix}</p> }.into_any())}
        {problem.migration.map(|id| view! { <p class="fix"><a href=format!("/migrations/{id}")>"Look at that migration"</a></p> }.into_any())}
        {problem
            .details
            .map(|details| {
                view! {
                    <details class="raw">
                        <summary>"Details"</summary>
                        <pre>{details}</pre>
                    </details>
                }.into_any()
            })}
    }
    .into_any()
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
                                        }.into_any()
                                    })}
                            </div>
                        }.into_any()
                    })
            }}
        </div>
    }
    .into_any()
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
    .into_any()
}
