//! Parts of forms, and how forms are read.

use leptos::prelude::*;
use model::{Code, Problem};
use serde::de::DeserializeOwned;

use crate::ui::Erased;

/// Reads a form as browsers send it; names may be nested: `request[options][new_name]`.
///
/// # Errors
/// `invalid-input`: a field that no browser would send so.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // Browsers write brackets as %5B and %5D.
    serde_qs::Config::new(5, false).deserialize_bytes(body).map_err(|_| {
        // Without the parser's own words: they may repeat what was typed.
        Problem::new(Code::InvalidInput, "The form was not filled in as it should be.")
            .with_fix("Check the numbers in it, then send it again.")
    })
}

/// What was typed, without spaces around it; none if that is nothing.
pub(crate) fn typed(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A field for a line of text.
pub(crate) struct Line {
    pub name: &'static str,
    pub label: &'static str,
    pub value: String,
    /// What counts if it is left empty.
    pub default: &'static str,
    pub hint: &'static str,
    pub is_required: bool,
}

impl Line {
    pub fn new(name: &'static str, label: &'static str, value: &str) -> Self {
        Self { name, label, value: value.to_owned(), default: "", hint: "", is_required: false }
    }

    pub fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    pub fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    pub fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    pub fn view(self) -> AnyView {
        let Self { name, label, value, default, hint, is_required } = self;
        view! {
            <label class="field">
                <span>{label}</span>
                <input
                    type="text"
                    name=name
                    value=value
                    placeholder=default
                    required=is_required
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                />
                {small(hint)}
            </label>
        }
        .erased()
    }
}

/// A field for a whole number.
pub(crate) fn number(name: &'static str, label: &'static str, value: Option<u32>, most: u32, default: &str) -> AnyView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                type="number"
                name=name
                value=value.map(|value| value.to_string())
                min="1"
                max=most
                placeholder=default.to_owned()
                inputmode="numeric"
            />
        </label>
    }
    .erased()
}

/// Something to tick, or one of several to choose.
pub(crate) struct Tick {
    pub kind: &'static str,
    pub name: &'static str,
    pub value: &'static str,
    pub label: &'static str,
    pub hint: &'static str,
    pub is_checked: bool,
}

impl Tick {
    /// Something to tick.
    pub fn option(name: &'static str, label: &'static str, hint: &'static str, is_checked: bool) -> AnyView {
        Self { kind: "checkbox", name, value: "true", label, hint, is_checked }.view()
    }

    /// One of several.
    pub fn choice(
        name: &'static str,
        value: &'static str,
        label: &'static str,
        hint: &'static str,
        is_checked: bool,
    ) -> AnyView {
        Self { kind: "radio", name, value, label, hint, is_checked }.view()
    }

    fn view(self) -> AnyView {
        let Self { kind, name, value, label, hint, is_checked } = self;
        view! {
            <label class="check">
                <input type=kind name=name value=value checked=is_checked />
                <span>{label} {small(hint)}</span>
            </label>
        }
        .erased()
    }
}

fn small(hint: &'static str) -> AnyView {
    if hint.is_empty() { ().into_any() } else { view! { <small class="hint">{hint}</small> }.erased() }
}

/// A password, which is never sent back to a page.
pub(crate) fn password(hint: &'static str) -> AnyView {
    view! {
        <label class="field">
            <span>"Password"</span>
            // Not the one that the browser may know for the console itself.
            <input type="password" name="password" autocomplete="new-password" />
            {small(hint)}
        </label>
    }
    .erased()
}

/// Whether a password is kept.
pub(crate) fn keep(is_checked: bool) -> AnyView {
    Tick::option(
        "keep_until_restart",
        "Keep the password until the console restarts",
        "In memory only. Otherwise it is forgotten after ten minutes, or with the last migration that needs it.",
        is_checked,
    )
}

/// The end of a form.
pub(crate) fn foot(back: &str, label: &'static str, look: &'static str, hint: &'static str) -> AnyView {
    view! {
        <div class="form-foot">
            {(!hint.is_empty()).then(|| view! { <p class="hint">{hint}</p> }.erased())}
            <div class="buttons">
                <a class="button" href=back.to_owned()>
                    "Cancel"
                </a>
                <button class=look>{label}</button>
            </div>
        </div>
    }
    .erased()
}
