//! Refusals and failures as a person reads them.

use leptos::prelude::*;
use model::{Code, Problem};

use crate::api::Failure;
use crate::components::icon::{Draw, Icon};
use crate::stream::log_in_again;

/// A problem: what happened, what to do about it, and the raw words for whoever opens them.
#[component]
pub(crate) fn ProblemText(problem: Problem) -> impl IntoView {
    view! {
        <p class="problem-sentence">{problem.sentence}</p>
        {problem.fix.map(|fix| view! { <p>{fix}</p> })}
        {problem.migration.map(|id| view! { <p><a href=format!("/migrations/{id}")>"Look at that migration"</a></p> })}
        {problem
            .details
            .map(|details| {
                view! {
                    <details class="raw">
                        <summary>"Details"</summary>
                        <pre>{details}</pre>
                    </details>
                }
            })}
    }
    .into_any()
}

/// What an action failed with, if it did, for [`Alert`].
pub(crate) fn failure_of<T: Clone + Send + Sync + 'static>(
    value: impl Fn() -> Option<Result<T, Failure>> + Send + Sync + 'static,
) -> Signal<Option<Problem>> {
    Signal::derive(move || value().and_then(Result::err).map(|Failure(problem)| problem))
}

/// A place where a problem is shown, and read aloud, when there is one.
#[component]
pub(crate) fn Alert(
    #[prop(into)] problem: Signal<Option<Problem>>,
    /// Takes the problem away; without it, the problem stays until the next attempt.
    #[prop(optional, into)]
    dismiss: Option<Callback<()>>,
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
                    .map(|problem| {
                        view! {
                            <div class="note note-bad">
                                <Draw icon=Icon::Warning />
                                <div class="note-text">
                                    <ProblemText problem />
                                </div>
                                {dismiss
                                    .map(|dismiss| {
                                        view! {
                                            <button
                                                type="button"
                                                class="icon-button"
                                                aria-label="Dismiss"
                                                on:click=move |_| dismiss.run(())
                                            >
                                                <Draw icon=Icon::Close />
                                            </button>
                                        }
                                    })}
                            </div>
                        }
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
