//! What a page shows once it is loaded.

use std::sync::Arc;

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::params::ParamsMap;
use serde::{Serialize, de::DeserializeOwned};

use crate::failure::Failure;
use crate::ui::Erased;
use crate::ui::load::Answer;
use crate::ui::load::call;
use crate::ui::problem::ProblemPage;

/// The `id` in a page's address, and what else there is, as fields for a server function.
pub(crate) fn fields_with_id(params: &ParamsMap, mut others: ParamsMap) -> String {
    others.insert("id", params.get("id").unwrap_or_default());
    others.to_query_string().replacen('?', "", 1)
}

/// Loads what the server function `F` answers, and shows it; again whenever `fields`, its arguments written as in an address,
/// change. On the server the page waits for it.
///
/// What is loaded travels as text, so that all pages share one type of `Resource`: each type costs 17 kB of WASM.
pub(crate) fn loaded<F>(
    fields: impl Fn() -> String + Send + Sync + 'static,
    show: impl Fn(F::Output) -> AnyView + Send + Sync + 'static,
) -> AnyView
where
    F: ServerFn<Error = Failure> + DeserializeOwned + 'static,
    F::Output: Serialize + DeserializeOwned,
{
    of_one_type(
        Box::new(fields),
        call::<F>,
        Arc::new(move |json| match Failure::or_answer(json) {
            Ok(answer) => show(answer),
            Err(failure) => problem_page(failure),
        }),
    )
}

fn of_one_type(
    fields: Box<dyn Fn() -> String + Send + Sync>,
    call: fn(String) -> Answer,
    show: Arc<dyn Fn(&str) -> AnyView + Send + Sync>,
) -> AnyView {
    let loaded = Resource::new_blocking(fields, call);
    view! {
        <Transition>
            {move || {
                let show = show.clone();
                Suspend::new(async move {
                    match loaded.await {
                        Ok(json) => show(&json),
                        Err(failure) => problem_page(failure),
                    }
                })
            }}
        </Transition>
    }
    .erased()
}

fn problem_page(Failure(problem): Failure) -> AnyView {
    view! { <ProblemPage problem /> }.erased()
}
