//! Forms of server functions. A form is sent as it was filled in, with scripts as without: only the server reads its fields. Leptos' own
//! `ActionForm` reads them in the browser first, for which serde is compiled to WebAssembly once more: 30 kB of brotli.

use leptos::{
    ev::SubmitEvent,
    form::form_data_from_event,
    html,
    prelude::*,
    server::ServerActionError,
    server_fn::{ServerFn, error::ServerFnUrlError},
    web_sys::{FormData, UrlSearchParams},
};
use leptos_router::location::Url;
use model::Problem;
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Where a form is sent to, and what came of it: `T`, or why it was refused.
pub(crate) struct FormAction<T: 'static> {
    path: &'static str,
    action: Action<String, Result<T, Failure>>,
}

impl<T> Clone for FormAction<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for FormAction<T> {}

impl<T: Clone + DeserializeOwned + Send + Sync + 'static> FormAction<T> {
    /// The forms of a server function. A refusal that the address of the page tells was of a form without scripts.
    pub fn of<F: ServerFn<Output = T, Error = Failure>>() -> Self {
        let path = F::PATH;
        let refused = use_context::<ServerActionError>().filter(|error| error.path() == path);
        let refused = refused.map(|error| Err(ServerFnUrlError::<Failure>::decode_err(error.err())));
        let action = Action::new_with_value(refused, move |fields: &String| send(path, fields.clone()));
        Self { path, action }
    }

    /// Sends fields, as [`fields`] or [`fields_of`] write them.
    pub fn send(self, fields: String) {
        self.action.dispatch(fields);
    }

    /// Whether an answer is waited for.
    pub fn pending(self) -> Memo<bool> {
        self.action.pending()
    }

    /// What the last attempt failed with.
    pub fn problem(self) -> Signal<Option<Problem>> {
        let value = self.action.value();
        Signal::derive(move || match &*value.read() {
            Some(Err(Failure(problem))) => Some(problem.clone()),
            _ => None,
        })
    }

    /// Runs `done` with the answer of each attempt that succeeds.
    pub fn on_success(self, done: impl Fn(T) + 'static) {
        Effect::new(move |_| {
            if let Some(Ok(answer)) = self.action.value().get() {
                untrack(|| done(answer));
            }
        });
    }

    /// Forgets what came of it.
    pub fn clear(self) {
        self.action.clear();
    }
}

/// A form whose fields are its children.
#[component]
pub(crate) fn ServerForm<T: Clone + DeserializeOwned + Send + Sync + 'static>(
    action: FormAction<T>,
    #[prop(optional)] node_ref: NodeRef<html::Form>,
    children: Children,
) -> impl IntoView {
    let on_submit = move |submit: SubmitEvent| {
        submit.prevent_default();
        if let Some(fields) = form_data_from_event(&submit).ok().as_ref().and_then(encoded) {
            action.send(fields);
        }
    };
    view! {
        <form action=action.path method="post" on:submit=on_submit node_ref=node_ref>
            {children()}
        </form>
    }
}

/// What a form was filled in with, as browsers send it.
pub(crate) fn fields_of(form: &leptos::web_sys::HtmlFormElement) -> Option<String> {
    encoded(&FormData::new_with_form(form).ok()?)
}

fn encoded(fields: &FormData) -> Option<String> {
    UrlSearchParams::new_with_str_sequence_sequence(fields).ok()?.to_string().as_string()
}

/// The same for fields that no form has.
pub(crate) fn fields(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={}", Url::escape(value))).collect::<Vec<_>>().join("&")
}

/// Sends fields to the server function at `path`, and reads its answer.
#[cfg(feature = "hydrate")]
pub(crate) async fn send<T: DeserializeOwned>(path: &'static str, fields: String) -> Result<T, Failure> {
    use leptos::server_fn::{
        ContentType,
        client::{Client, browser::BrowserClient},
        codec::PostUrl,
        error::{FromServerFnError, ServerFnErrorErr},
        request::{ClientReq, browser::BrowserRequest},
        response::{ClientRes, browser::BrowserResponse},
    };

    let request: BrowserRequest =
        ClientReq::<Failure>::try_new_post(path, PostUrl::CONTENT_TYPE, "application/json", fields)?;
    let response: BrowserResponse = <BrowserClient as Client<Failure>>::send(request).await?;
    let is_refused = ClientRes::<Failure>::status(&response) >= 400;
    let answer = ClientRes::<Failure>::try_into_bytes(response).await?;
    if is_refused {
        return Err(Failure::de(answer));
    }
    serde_json::from_slice(&answer)
        .map_err(|error| Failure::from_server_fn_error(ServerFnErrorErr::Deserialization(error.to_string())))
}

/// Never called: only browsers send forms.
#[cfg(not(feature = "hydrate"))]
pub(crate) async fn send<T>(path: &'static str, fields: String) -> Result<T, Failure> {
    use leptos::prelude::{FromServerFnError, ServerFnErrorErr};

    Err(Failure::from_server_fn_error(ServerFnErrorErr::Request(format!("{fields} for {path} outside of a browser"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_forms_are() {
        assert_eq!(fields(&[("vm", "a b&c"), ("action", "start")]), "vm=a%20b%26c&action=start");
    }
}
