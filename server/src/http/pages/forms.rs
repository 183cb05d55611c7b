//! Plain forms, each a page that is rendered here and works without scripts: to add, change, test and remove hosts, to log in there,
//! and to migrate to an ad-hoc destination. A form that is refused comes back as it was filled in, but for its password.

use app::{Document, failed};
use axum::{
    Router,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use model::{Code, Problem};

use super::{
    super::{DoorState, assets, status},
    ad_hoc_destination, hosts,
};

/// The forms, below the addresses of pages.
pub(in crate::http) fn router() -> Router<DoorState> {
    Router::new()
        .route("/hosts/add", get(hosts::add_page).post(hosts::add))
        .route("/hosts/{name}/edit", get(hosts::edit_page).post(hosts::edit))
        .route("/hosts/{name}/test", get(hosts::test_page).post(hosts::test))
        .route("/hosts/{name}/remove", get(hosts::remove_page).post(hosts::remove))
        .route("/hosts/{name}/login", get(hosts::log_in_page).post(hosts::log_in))
        .route("/hosts/{name}/key", get(hosts::key_page).post(hosts::key))
        .route("/vms/{id}/elsewhere", get(ad_hoc_destination::page).post(ad_hoc_destination::start))
}

/// Why there is no form to show.
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

/// A form that comes back, with the status of what it was refused for.
pub(super) fn refused(code: Code, document: Document) -> Response {
    (status::of(code), shown(document)).into_response()
}
