//! What a page shows once it is loaded.

use leptos::prelude::*;

use crate::failure::Failure;
use crate::ui::problem::ProblemPage;

/// Waits for a page's resource, then shows it, or why it could not be loaded.
#[component]
pub(crate) fn Loaded<T>(
    resource: Resource<Result<T, Failure>>,
    show: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
{
    view! {
        <Transition>
            {move || {
                let show = show.clone();
                Suspend::new(async move {
                    match resource.await {
                        // Only the resource may rebuild the page, not a signal that is read while it is built: a form that was
                        // rebuilt because its VM changed never got the answer to what it had sent.
                        Ok(loaded) => untrack(|| show(loaded)),
                        Err(Failure(problem)) => view! { <ProblemPage problem /> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}
