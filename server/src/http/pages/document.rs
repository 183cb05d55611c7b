//! Pages that `app` renders as whole documents, as answers.

use app::{Document, failed};
use axum::response::{Html, IntoResponse, Response};
use model::{Code, Problem};

use super::super::{assets, status};

/// Why there is no page to show.
pub(super) struct Failed(Box<Problem>);

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let code = self.0.code;
        refused(code, failed(assets::addresses(), *self.0))
    }
}

pub(super) fn shown(document: Document) -> Response {
    Html(document.into_html()).into_response()
}

/// A form that comes back as it was filled in, but for its password, with the status of the refusal.
pub(super) fn refused(code: Code, document: Document) -> Response {
    (status::of(code), shown(document)).into_response()
}
