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
                        Ok(loaded) => show(loaded),
                        Err(Failure(problem)) => view! { <ProblemPage problem /> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}
