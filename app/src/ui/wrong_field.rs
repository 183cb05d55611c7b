//! Ties a refusal to the field that it is about, in forms that the browser sends by itself. Those that the server renders: `fields.rs`.

use leptos::web_sys::{Element, HtmlElement};
use web_sys::wasm_bindgen::JsCast;

/// Marks the field of this name as wrong, and makes it refer to `why`, whose id is the name from then on; it gets the focus, if that is wanted.
/// The field that `why` was about before is not wrong any more.
pub(crate) fn tie(why: &Element, name: Option<&str>, has_focus: bool) {
    if let Some(before) = field(why, &why.id()) {
        // None of this fails, as all names are an attribute's.
        let _ = before.remove_attribute("aria-invalid");
        let _ = before.remove_attribute("aria-describedby");
    }
    let _ = why.remove_attribute("id");
    let Some((name, wrong)) = name.and_then(|name| Some((name, field(why, name)?))) else { return };
    // Another refusal on this form may have said so.
    if !wrong.has_attribute("aria-invalid") {
        why.set_id(name);
        let _ = wrong.set_attribute("aria-invalid", "true");
        let _ = wrong.set_attribute("aria-describedby", name);
    }
    if has_focus {
        let _ = wrong.focus();
    }
}

/// The field of this name in the form, or the forms of the section, that `why` is in: `request[options][new_name]` is `new_name`.
fn field(why: &Element, name: &str) -> Option<HtmlElement> {
    let form = why.closest("form,section").ok()??;
    Some(form.query_selector(&format!("[name$='[{name}]']")).ok()??.unchecked_into())
}
