//! Refusals as HTTP answers.
//!
//! A handler or layer that refuses returns [`Refused`], which has a status and no body yet. The layer around the kind of door,
//! [`as_problem`] or [`as_kimchi`], writes the body in the shape that this door's clients know.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use model::{Code, Problem};
use serde_json::json;

use super::status;
use crate::auth::AuthError;

/// A request that was refused.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    problem: Box<Problem>,
    /// Kimchi's code, where it has one for exactly this.
    kimchi: Option<&'static str>,
    /// Whether it is the request's address that names what is not there.
    is_missing: bool,
}

impl Refused {
    /// What the request's address names is not there.
    pub(super) fn missing(problem: Problem) -> Self {
        Self { is_missing: true, ..problem.into() }
    }

    /// Adds the code that Kimchi or wok has for it.
    pub(super) fn known_as(self, kimchi: &'static str) -> Self {
        Self { kimchi: Some(kimchi), ..self }
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { problem: Box::new(problem), kimchi: None, is_missing: false }
    }
}

impl From<AuthError> for Refused {
    fn from(error: AuthError) -> Self {
        Problem::from(error).into()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = if self.is_missing { StatusCode::NOT_FOUND } else { status::of(self.problem.code) };
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes a refusal as the [`Problem`] in JSON: a layer around doors that are our own.
pub(super) async fn as_problem(response: Response) -> Response {
    written(response, |refused| Json(&refused.problem).into_response())
}

/// Writes a refusal as Kimchi and wok do: a layer around the doors that were theirs.
pub(super) async fn as_kimchi(response: Response) -> Response {
    written(response, |refused| Json(kimchi(refused)).into_response())
}

fn written(mut response: Response, body: impl FnOnce(&Refused) -> Response) -> Response {
    let Some(refused) = response.extensions_mut().remove::<Refused>() else { return response };
    let (mut parts, _) = response.into_parts();
    let (json, body) = body(&refused).into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(json.headers);
    Response::from_parts(parts, body)
}

/// `{code, reason}`, where the reason begins with the code; with the findings or the ssh key that the request was refused for.
fn kimchi(Refused { problem, kimchi, .. }: &Refused) -> serde_json::Value {
    let code = kimchi.or_else(|| kimchi_code(problem.code)).unwrap_or(problem.code.as_str());
    let mut reason = format!("{code}: {}", problem.sentence);
    for more in [&problem.fix, &problem.details].into_iter().flatten() {
        reason.push(' ');
        reason.push_str(more);
    }
    let mut body = json!({ "code": code, "reason": reason });
    if !problem.findings.is_empty() {
        body["findings"] = json!(problem.findings);
    }
    if let Some(fingerprint) = &problem.fingerprint {
        body["fingerprint"] = json!(fingerprint);
    }
    body
}

/// The code of Kimchi (i18n.py) or of its framework wok.
fn kimchi_code(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::UnknownVm => "KCHVM0002E",
        Code::SameHost => "KCHVM0055E",
        Code::NeedsLogin | Code::LoginRefused => "KCHVM0056E",
        Code::WrongState => "KCHVM0057E",
        Code::Hypervisor => "KCHVM0058E",
        Code::HostUnreachable | Code::NotPermitted => "KCHVM0090E",
        Code::UnknownMigration => "WOKASYNC0001E",
        Code::UnsupportedMedia => "WOKAPI0007E",
        Code::Unauthenticated => "WOKAUTH0002E",
        Code::Throttled => "WOKAUTH0004E",
        Code::WrongCredentials => "WOKAUTH0008E",
        _ => return None,
    })
}
