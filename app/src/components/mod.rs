//! Parts of pages. Each ends in `into_any()`: else a page's type would hold the types of all views in it, and the compiler
//! gives up on types so deep.

pub mod banners;
pub mod cancel_form;
pub mod dialog;
pub mod figure;
pub mod form;
pub mod frame;
pub mod icon;
pub mod migrate_form;
pub mod problem;
pub mod progress;
pub mod question;
pub mod time;
pub mod vm_action_form;
pub mod vm_table;

use std::{fmt::Display, str::FromStr};

use leptos::prelude::*;

/// A part that changes as a whole. All such parts are of one type, whatever they show: each type costs some 4 kB of WASM.
pub(crate) fn dynamic(view: impl Fn() -> AnyView + Send + 'static) -> AnyView {
    fn of_one_type(view: Box<dyn Fn() -> AnyView + Send>) -> AnyView {
        (move || view()).into_any()
    }
    of_one_type(Box::new(view))
}

/// A list whose parts stay for as long as their key is in it. Keys travel as text, so that all lists are of one type.
pub(crate) fn keyed<K>(
    keys: impl Fn() -> Vec<K> + Send + Sync + 'static,
    part: impl Fn(K) -> AnyView + Send + Sync + 'static,
) -> AnyView
where
    K: Display + FromStr + 'static,
{
    fn of_one_type(
        keys: Box<dyn Fn() -> Vec<String> + Send + Sync>,
        part: Callback<String, Option<AnyView>>,
    ) -> AnyView {
        let keys = Memo::new(move |_| keys());
        view! { <For each=move || keys.get() key=Clone::clone children=move |key| part.run(key) /> }.into_any()
    }
    of_one_type(
        Box::new(move || keys().iter().map(K::to_string).collect()),
        Callback::new(move |key: String| key.parse().ok().map(&part)),
    )
}
