//! Names of things in addresses.

use axum::{
    extract::{FromRequestParts, RawPathParams, rejection::RawPathParamsRejection},
    http::request::Parts,
};
use model::{Code, Problem};

use super::Refused;

/// What stands in the address for the name of a thing, decoded.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let refused =
            |what: &str| Refused::from(Problem::new(Code::InvalidInput, format!("The name in the address {what}.")));
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|error| match error {
            RawPathParamsRejection::InvalidUtf8InPathParam(_) => refused("is not UTF-8"),
            _ => refused("is missing"),
        })?;
        let (_, name) = params.iter().next().ok_or_else(|| refused("is missing"))?;
        if name.chars().any(char::is_control) {
            return Err(refused("has a control character"));
        }
        Ok(Self(name.to_owned()))
    }
}
