//! The form of a question: what will happen, the button that does it, and a way back.

use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use serde::de::DeserializeOwned;

use crate::ui::{
    form::CancelButton,
    problem::Alert,
    server_form::{FormAction, ServerForm},
};

/// The form. Once the answer is yes and it is done, the dialog closes, or the browser goes on to `page`.
#[component]
pub(crate) fn QuestionForm<T: Clone + DeserializeOwned + Send + Sync + 'static>(
    action: FormAction<T>,
    /// What is sent: names and values.
    fields: Vec<(&'static str, String)>,
    /// What will happen.
    #[prop(into)]
    consequence: Signal<Option<String>>,
    /// What else is to be known.
    #[prop(optional)]
    hint: &'static str,
    /// The button's label.
    #[prop(into)]
    label: String,
    /// Whether it interrupts nothing.
    #[prop(optional)]
    is_harmless: bool,
    /// What the way back is called.
    #[prop(default = "Cancel")]
    back: &'static str,
    /// Where the way back leads.
    #[prop(into)]
    page: String,
    /// Closes the dialog it is in.
    close: Option<Callback<()>>,
) -> impl IntoView {
    let navigate = use_navigate();
    let next = page.clone();
    action.on_success(move |_| match close {
        Some(close) => close.run(()),
        None => navigate(&next, Default::default()),
    });
    let hidden = |(name, value)| view! { <input type="hidden" name=name value=value /> };
    view! {
        <ServerForm action>
            {fields.into_iter().map(hidden).collect_view()} <p class="consequence">{consequence}</p>
            {(!hint.is_empty()).then(|| view! { <p class="hint">{hint}</p> })} <div class="form-foot">
                <Alert problem=action.problem() />
                <div class="buttons">
                    <CancelButton close href=page autofocus=close.is_some() label=back />
                    <button
                        class=if is_harmless { "button primary" } else { "button danger" }
                        disabled=action.pending()
                    >
                        {label}
                    </button>
                </div>
            </div>
        </ServerForm>
    }
}
