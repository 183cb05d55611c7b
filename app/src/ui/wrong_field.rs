//! Ties a refusal to the field that it is about, in forms that the browser sends by itself. Those that the server renders: `fields.rs`.

use leptos::web_sys::{Element, HtmlElement};
use web_sys::wasm_bindgen::JsCast;

/// A field that is marked as wrong, and refers to what says why.
pub(crate) struct WrongField {
    field: HtmlElement,
    why: Element,
}

impl WrongField {
    /// Marks the field of this name in the form, or the forms of the section, that `why` is in; none if it is marked already, or not there.
    /// It gets the focus, if that is wanted.
    pub fn mark(name: &str, why: &Element, has_focus: bool) -> Option<Self> {
        // `request[options][new_name]` is `new_name`.
        let named = format!(":is([name='{name}'],[name$='[{name}]']):not([type=hidden])");
        let around = why.closest("form,section").ok()??;
        let field: HtmlElement = around.query_selector(&named).ok()??.unchecked_into();
        // None of this fails, as all names are an attribute's.
        if let Ok(Some(folded)) = field.closest("details") {
            let _ = folded.set_attribute("open", "");
        }
        if has_focus {
            let _ = field.focus();
        }
        if field.has_attribute("aria-invalid") {
            return None;
        }
        let id = format!("{name}-mistake");
        why.set_id(&id);
        let _ = field.set_attribute("aria-invalid", "true");
        let _ = field.set_attribute("aria-describedby", &id);
        Some(Self { field, why: why.clone() })
    }

    /// It is not wrong any more.
    pub fn clear(self) {
        let Self { field, why } = self;
        let _ = field.remove_attribute("aria-invalid");
        let _ = field.remove_attribute("aria-describedby");
        let _ = why.remove_attribute("id");
    }
}
