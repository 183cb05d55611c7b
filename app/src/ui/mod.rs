//! Parts of pages. Each ends in `erased()`: else a page's type would hold the types of all views in it, and the compiler gives up
//! on types so deep.

pub mod dialog;
#[cfg(feature = "ssr")]
pub mod document;
#[cfg(feature = "ssr")]
pub mod fields;
pub mod figure;
pub mod form;
pub mod frame;
pub mod icon;
pub mod json;
pub mod load;
pub mod loaded;
pub mod not_found;
pub mod post;
pub mod problem;
pub mod question;
pub mod time;

use std::{fmt::Display, str::FromStr};

use leptos::prelude::*;
use leptos_meta::Title;

/// Any view as one type.
pub(crate) trait Erased {
    /// Like `into_any()`, but out of the `View` that `view!` wraps around its outermost element: within others the same element has
    /// no such wrap, and both as types of their own would cost 36 kB of WASM.
    fn erased(self) -> AnyView;
}

impl<T: RenderHtml + Send + 'static> Erased for View<T> {
    fn erased(self) -> AnyView {
        self.into_inner().into_any()
    }
}

impl Erased for AnyView {
    fn erased(self) -> AnyView {
        self
    }
}

/// A page's title that follows what it is about. On the server it is read at once: Leptos asks for it when the page is on its way, on
/// whatever thread, where no signal can be read.
pub(crate) fn title(text: impl Fn() -> String + Send + Sync + 'static) -> AnyView {
    #[cfg(feature = "ssr")]
    let text = untrack(text);
    view! { <Title text /> }.erased()
}

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
        view! { <For each=move || keys.get() key=Clone::clone children=move |key| part.run(key) /> }.erased()
    }
    of_one_type(
        Box::new(move || keys().iter().map(K::to_string).collect()),
        Callback::new(move |key: String| key.parse().ok().map(&part)),
    )
}
