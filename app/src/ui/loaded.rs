//! What a page shows once it is loaded.

use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

use crate::failure::Failure;
use crate::json::Json;
use crate::ui::problem::ProblemPage;

/// What a page asks the console for, again each time that `source` changes.
pub(crate) type PageData<T> = Resource<Result<T, Failure>, Json>;

/// Begins to load a page's data. The server sends nothing of the page before it is there.
pub(crate) fn page_data<T, S, Answer>(
    source: impl Fn() -> S + Send + Sync + 'static,
    load: impl Fn(S) -> Answer + Send + Sync + 'static,
) -> PageData<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
    S: Clone + PartialEq + Send + Sync + 'static,
    Answer: Future<Output = Result<T, Failure>> + Send + 'static,
{
    Resource::new_with_options(source, load, true)
}

/// Waits for a page's resource, then shows it, or why it could not be loaded.
#[component]
pub(crate) fn Loaded<T>(
    resource: PageData<T>,
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
