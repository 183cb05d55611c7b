//! HTML of views, apart from what else is rendered.

use leptos::{prelude::*, reactive::owner::Owner};

/// Renders a view that is no part of the page that Leptos renders.
///
/// Its signals live in a root of their own. `Owner::new()` would make a child of the owner that the thread had last, which may be another
/// request's: as soon as that one ends, on whatever thread, its children's signals are gone, and who reads one panics.
pub(crate) fn rendered<V: IntoView + 'static>(content: impl FnOnce() -> V) -> String {
    let before = Owner::current();
    let root = Owner::new_root(None);
    let html = root.with(|| content().into_any().to_html());
    if let Some(before) = before {
        before.set();
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_ends_takes_nothing_from_another() {
        let other = Owner::new_root(None);
        let html = rendered(|| {
            let name = RwSignal::new("web");
            other.cleanup();
            view! { <p>{move || name.get()}</p> }
        });
        assert!(html.contains("web"), "{html}");
    }

    #[test]
    fn who_renders_a_part_keeps_the_contexts() {
        let page = Owner::new_root(None);
        page.with(|| {
            provide_context(7_u32);
            rendered(|| view! { <p>"part"</p> });
            assert_eq!(use_context::<u32>(), Some(7));
        });
    }
}
