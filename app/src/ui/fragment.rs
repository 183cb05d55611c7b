//! A part of a page that only the server renders: a server function that answers with HTML. What is only looked at needs no program in
//! the browser, which has to be loaded first.

use std::time::Duration;

use leptos::{
    html,
    prelude::*,
    task::spawn_local,
    web_sys::{Element, HtmlElement},
};
use web_sys::wasm_bindgen::JsCast;

use crate::ui::{server_form::send, time::localize};

/// The fragments of a page that were made before it is rendered, because they had to be waited for: in the request's extensions.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug)]
pub struct Prepared(pub Vec<String>);

/// The fragments that were made before the page is rendered; none in the browser.
pub(crate) fn prepared<const COUNT: usize>() -> [Option<String>; COUNT] {
    #[cfg(feature = "ssr")]
    if let Some(Prepared(html)) =
        use_context::<axum::http::request::Parts>().and_then(|parts| parts.extensions.get().cloned())
    {
        let mut html = html.into_iter();
        return std::array::from_fn(|_| html.next());
    }
    [const { None }; COUNT]
}

/// A refusal in the place of a fragment.
#[cfg(feature = "ssr")]
pub fn refused(problem: model::Problem) -> String {
    use crate::ui::{markup::rendered, problem::ProblemNote};

    rendered(|| view! { <ProblemNote problem /> })
}

/// Changes when what `about` reads does.
pub(crate) fn version_of<T: PartialEq + Send + Sync + 'static>(
    about: impl Fn() -> T + Send + Sync + 'static,
) -> Signal<u64> {
    let about = Memo::new(move |_| about());
    Memo::new(move |before: Option<&u64>| {
        // To track it is not enough: a memo that is never read follows nothing.
        about.with(|_| ());
        before.map_or(0, |version| version + 1)
    })
    .into()
}

/// A fragment: in the page from the beginning, and made anew when its fields or its version change, and every so often.
#[component]
pub(crate) fn Fragment(
    /// The path of its server function.
    path: &'static str,
    /// The fields that this is sent, as [`crate::ui::server_form::fields`] writes them.
    #[prop(into)]
    fields: Signal<String>,
    /// Changes when what it is about does.
    #[prop(into)]
    version: Signal<u64>,
    every: Option<Duration>,
    /// What it is at first. None in the browser, which finds it in the page; one to which a link led begins without.
    html: Option<String>,
) -> impl IntoView {
    let node = NodeRef::<html::Div>::new();
    let asked = StoredValue::new(0_u32);
    let waiting = StoredValue::new(0_u32);
    let last = StoredValue::new(String::new());
    let load = move || {
        asked.update_value(|asked| *asked += 1);
        waiting.update_value(|waiting| *waiting += 1);
        let number = asked.get_value();
        let fields = fields.get_untracked();
        spawn_local(async move {
            // One that can't be made now stays as it was; the next attempt follows, and the page says that it is not live.
            let answer = send::<String>(path, fields).await;
            waiting.try_update_value(|waiting| *waiting -= 1);
            let Ok(html) = answer else { return };
            let is_latest = asked.try_get_value() == Some(number);
            let is_new = is_latest && last.try_with_value(|last| *last != html) == Some(true);
            if is_new && let Some(node) = node.try_get_untracked().flatten() {
                replace(&node, &html);
                last.set_value(html);
            }
        });
    };
    Effect::new(move |before: Option<Option<(String, u64)>>| {
        let now = (fields.get(), version.get());
        let node = node.get()?;
        match before.flatten() {
            None => {
                localize(&node);
                // A page that a link led to has nothing at first.
                if node.first_element_child().is_none() {
                    load();
                }
            }
            Some(before) if before != now => load(),
            Some(_) => {}
        }
        Some(now)
    });
    Effect::new(move |_| {
        let timer = every.and_then(|every| {
            let look = move || {
                // A question that takes longer than that is not asked again before it is answered.
                if !document().hidden() && waiting.try_get_value() == Some(0) {
                    load();
                }
            };
            set_interval_with_handle(look, every).ok()
        });
        on_cleanup(move || {
            if let Some(timer) = timer {
                timer.clear();
            }
        });
    });
    view! { <div class="fragment" node_ref=node inner_html=html.unwrap_or_default()></div> }
}

/// Replaces the content; what had the focus keeps it, if it has an id, and what was unfolded stays so, if it, or an element around it that
/// has no other before it, has one.
fn replace(node: &HtmlElement, html: &str) {
    let focused =
        document().active_element().filter(|element| node.contains(Some(element))).map(|element| element.id());
    let unfolded = unfolded(node);
    node.set_inner_html(html);
    localize(node);
    for id in unfolded {
        if let Ok(Some(details)) = node.query_selector(&format!("details#{id}, #{id} details")) {
            // Fails only for a name that can't be an attribute's.
            let _ = details.set_attribute("open", "");
        }
    }
    let element = focused.and_then(|id| document().get_element_by_id(&id));
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // Fails only where the element is gone.
        let _ = element.focus();
    }
}

/// The nearest id of each `<details>` that is unfolded.
fn unfolded(node: &HtmlElement) -> Vec<String> {
    let Ok(found) = node.query_selector_all("details[open]") else { return Vec::new() };
    let nearest = |index| found.get(index)?.unchecked_into::<Element>().closest("[id]").ok()?;
    (0..found.length()).filter_map(nearest).map(|named| named.id()).collect()
}
