//! What forms of server functions share.

use leptos::{ev::MouseEvent, prelude::*, server_fn::ServerFn};
use model::Problem;

use crate::failure::Failure;

/// What the last attempt failed with.
pub(crate) fn problem_of<F>(action: ServerAction<F>) -> Signal<Option<Problem>>
where
    F: ServerFn<Error = Failure> + Clone + Send + Sync + 'static,
    F::Output: Send + Sync + 'static,
{
    let value = action.value();
    Signal::derive(move || match &*value.read() {
        Some(Err(Failure(problem))) => Some(problem.clone()),
        _ => None,
    })
}

/// Runs `done` with the answer of each attempt that succeeds.
pub(crate) fn on_success<F>(action: ServerAction<F>, done: impl Fn(F::Output) + 'static)
where
    F: ServerFn<Error = Failure> + Clone + Send + Sync + 'static,
    F::Output: Clone + Send + Sync + 'static,
{
    Effect::new(move |_| {
        if let Some(Ok(answer)) = action.value().get() {
            untrack(|| done(answer));
        }
    });
}

/// Leaves a form without sending it: closes the dialog it is in, or is a link where there is no dialog.
#[component]
pub(crate) fn CancelButton(
    close: Option<Callback<()>>,
    #[prop(into)] href: String,
    /// Whether the dialog opens with the focus here, as the answer that does no harm.
    #[prop(optional)]
    autofocus: bool,
    label: &'static str,
) -> impl IntoView {
    let on_click = move |click: MouseEvent| {
        if let Some(close) = close {
            click.prevent_default();
            close.run(());
        }
    };
    view! {
        <a class="button" href=href autofocus=autofocus on:click=on_click>
            {label}
        </a>
    }
}
