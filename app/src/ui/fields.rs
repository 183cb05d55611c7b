//! Fields of forms that are rendered on the server only, and how such forms are read.

use leptos::prelude::*;
use model::{Code, Problem};
use serde::de::DeserializeOwned;

/// Reads a form as browsers send it; names may be nested: `request[options][new_name]`.
///
/// # Errors
/// `invalid-input` for a field that can't be read.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // Browsers write brackets as %5B and %5D.
    serde_qs::Config::new(5, false).deserialize_bytes(body).map_err(|_| {
        // Without the parser's own words: they may repeat what was typed.
        Problem::new(Code::InvalidInput, "Some fields are not valid.")
            .with_fix("Check the numbers, then send the form again.")
    })
}

/// What was typed, without spaces around it; none if that is nothing.
pub(crate) fn typed(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Says of a problem that it is about this field of the form.
pub(crate) fn about(field: &'static str) -> impl Fn(Problem) -> Problem {
    move |problem| problem.with_field(field)
}

/// The field that a form was refused for, and why: in the context of the form's fields.
#[derive(Clone)]
struct Mistake {
    field: String,
    sentence: String,
}

/// Ties a refusal to the field that it is about, if there is one. To be called before the fields are made.
pub(crate) fn tie_to_field(problem: Option<&Problem>) {
    let Some(problem) = problem else { return };
    let by_code = match problem.code {
        Code::HostExists => Some("name"),
        Code::HostUnreachable | Code::TimedOut => Some("address"),
        Code::LoginRefused | Code::NeedsLogin => Some("password"),
        Code::NotPermitted => Some("user"),
        Code::SameHost => Some("destination"),
        Code::UnknownVm | Code::AmbiguousName => Some("vms"),
        _ => None,
    };
    if let Some(field) = problem.field.clone().or(by_code.map(str::to_owned)) {
        provide_context(Mistake { field, sentence: problem.sentence.clone() });
    }
}

/// Why the form was refused, if it was for this field; `request[options][new_name]` is `new_name`, and an ad-hoc `destination` an address.
pub(crate) fn mistake(name: &str) -> Option<String> {
    let Mistake { field, sentence } = use_context()?;
    let name = name.rsplit('[').next()?.trim_end_matches(']');
    (field == name || (field == "address" && name == "destination")).then_some(sentence)
}

/// Says beside a field what is wrong with it, which the field refers to.
#[component]
pub(crate) fn MistakeText(name: &'static str) -> impl IntoView {
    mistake(name).map(|sentence| view! { <small class="mistake" id=format!("{name}-mistake")>{sentence}</small> })
}

/// The attributes of a field that was refused: whether it is, and the id of what says why.
pub(crate) fn refused(name: &str) -> (Option<&'static str>, Option<String>) {
    let is_wrong = mistake(name).is_some();
    (is_wrong.then_some("true"), is_wrong.then(|| format!("{name}-mistake")))
}

/// A text field.
#[component]
pub(crate) fn TextField(
    name: &'static str,
    label: &'static str,
    #[prop(into)] value: String,
    /// What applies if it is left empty.
    #[prop(optional)]
    default: &'static str,
    #[prop(optional)] hint: &'static str,
    #[prop(optional)] required: bool,
) -> impl IntoView {
    let (invalid, described) = refused(name);
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                type="text"
                name=name
                value=value
                placeholder=default
                required=required
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                autofocus=invalid.is_some()
                aria-invalid=invalid
                aria-describedby=described
            />
            <MistakeText name />
            <Hint hint />
        </label>
    }
}

/// A whole number from 1 to `max`.
#[component]
pub(crate) fn NumberField(
    name: &'static str,
    label: &'static str,
    value: Option<u32>,
    max: u32,
    /// What applies if it is left empty.
    #[prop(into)]
    default: String,
) -> impl IntoView {
    let (invalid, described) = refused(name);
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                type="number"
                name=name
                value=value.map(|value| value.to_string())
                min="1"
                max=max
                placeholder=default
                inputmode="numeric"
                autofocus=invalid.is_some()
                aria-invalid=invalid
                aria-describedby=described
            />
            <MistakeText name />
        </label>
    }
}

/// A checkbox.
#[component]
pub(crate) fn CheckField(
    name: &'static str,
    label: &'static str,
    #[prop(optional)] hint: &'static str,
    checked: bool,
) -> impl IntoView {
    view! { <Choice kind="checkbox" name value="true" label hint checked /> }
}

/// A radio button.
#[component]
pub(crate) fn RadioField(
    name: &'static str,
    value: &'static str,
    label: &'static str,
    #[prop(optional)] hint: &'static str,
    checked: bool,
) -> impl IntoView {
    view! { <Choice kind="radio" name value label hint checked /> }
}

#[component]
fn Choice(
    kind: &'static str,
    name: &'static str,
    value: &'static str,
    label: &'static str,
    hint: &'static str,
    checked: bool,
) -> impl IntoView {
    view! {
        <label class="check">
            <input type=kind name=name value=value checked=checked />
            <span>{label} " " <Hint hint /></span>
        </label>
    }
}

#[component]
fn Hint(hint: &'static str) -> impl IntoView {
    (!hint.is_empty()).then(|| view! { <small class="hint">{hint}</small> })
}

/// A password, which is never sent back to a page.
#[component]
pub(crate) fn PasswordField(hint: &'static str) -> impl IntoView {
    let (invalid, described) = refused("password");
    view! {
        <label class="field">
            <span>"Password"</span>
            // Not the one that the browser may know for the console itself.
            <input
                type="password"
                name="password"
                autocomplete="new-password"
                autofocus=invalid.is_some()
                aria-invalid=invalid
                aria-describedby=described
            />
            <MistakeText name="password" />
            <Hint hint />
        </label>
    }
}

/// Whether a password is kept.
#[component]
pub(crate) fn KeepPasswordField(checked: bool) -> impl IntoView {
    view! {
        <CheckField
            name="keep_until_restart"
            label="Keep the password until the console restarts"
            hint="In memory only. Otherwise the console forgets it after ten minutes, or after the last migration that needs it."
            checked
        />
    }
}

/// The end of a form: a link back, and the button.
#[component]
pub(crate) fn FormFoot(
    #[prop(into)] back: String,
    #[prop(into)] label: String,
    #[prop(default = "button primary")] class: &'static str,
    #[prop(optional)] hint: &'static str,
    /// Other buttons. The first in a form is the one that Enter presses.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="form-foot">
            {(!hint.is_empty()).then(|| view! { <p class="hint">{hint}</p> })}
            <div class="buttons">
                <a class="button" href=back>
                    "Cancel"
                </a>
                {children.map(|children| children())}
                <button class=class>{label}</button>
            </div>
        </div>
    }
}
