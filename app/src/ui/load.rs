//! Calls a server function for what a page shows: on the server as it renders the page, in the browser by a request.

use std::pin::Pin;

use leptos::server_fn::ServerFn;
use serde::{Serialize, de::DeserializeOwned};

use crate::failure::Failure;

/// An answer under way, as JSON.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<String, Failure>> + Send>>;

/// Calls the server function `F` with arguments written as in an address: `a=1&b=2`.
#[cfg(feature = "ssr")]
pub(crate) fn call<F>(fields: String) -> Answer
where
    F: ServerFn<Error = Failure> + DeserializeOwned + 'static,
    F::Output: Serialize,
{
    use leptos::prelude::{FromServerFnError, ServerFnErrorErr};

    Box::pin(async move {
        // As server functions do it.
        let function: F = serde_qs::Config::new(5, false)
            .deserialize_str(&fields)
            .map_err(|error| Failure::from_server_fn_error(ServerFnErrorErr::Args(error.to_string())))?;
        let answer = function.run_body().await?;
        serde_json::to_string(&answer).map_err(|error| Failure::not_understood(error.to_string()))
    })
}

/// Calls the server function `F` with arguments written as in an address: `a=1&b=2`.
#[cfg(not(feature = "ssr"))]
pub(crate) fn call<F>(fields: String) -> Answer
where
    F: ServerFn<Error = Failure> + DeserializeOwned + 'static,
    F::Output: Serialize,
{
    Box::pin(send_wrapper::SendWrapper::new(super::post::post(F::PATH, fields)))
}
