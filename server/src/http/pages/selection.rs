//! `/selection`: VMs are chosen in the list, looked at, and something is done to them. Plain forms, which need no scripts.

use app::{Fields, selection, selection_refused};
use axum::{
    Extension, Form, Router,
    extract::{Path, State, rejection::FormRejection},
    http::{HeaderValue, header::REFRESH},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use model::{Code, Problem, SelectionId, Stage};
use port::Principal;

use super::{
    super::{DoorState, Doors, assets::addresses},
    document::{refused, shown},
};

/// How often the page is loaded again while something is going on, in seconds.
const REFRESH_S: HeaderValue = HeaderValue::from_static("2");

pub(super) type Sent = Result<Form<Vec<(String, String)>>, FormRejection>;

pub(super) fn router() -> Router<DoorState> {
    Router::new()
        .route("/selection", post(select).get(async || Redirect::to("/")))
        .route("/selection/{id}", get(page).post(go_on))
}

/// Why nothing was done, as a page.
struct Refusal(Box<Problem>);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        refused(self.0.code, selection_refused(addresses(), *self.0))
    }
}

async fn select(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    sent: Sent,
) -> Result<Redirect, Refusal> {
    let fields = fields(sent)?;
    let (chosen, action) = (fields.chosen()?, fields.action()?);
    Ok(to(doors.console.select(&who, chosen, action)?))
}

async fn page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let shown_now = doors.console.selection(&who, id.parse()?)?;
    let goes_on = shown_now.stage == Stage::Running;
    let mut response = shown(selection(addresses(), shown_now));
    if goes_on {
        response.headers_mut().insert(REFRESH, REFRESH_S);
    }
    Ok(response)
}

/// What was looked at is done.
async fn go_on(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Redirect, Refusal> {
    let id: SelectionId = id.parse()?;
    let fields = fields(sent)?;
    doors.console.carry_out_selection(&who, id, fields.seen_ms()?)?;
    Ok(to(id))
}

fn to(id: SelectionId) -> Redirect {
    Redirect::to(&format!("/selection/{id}"))
}

/// The fields of a form in which a name may come several times.
pub(super) fn fields(sent: Sent) -> Result<Fields, Problem> {
    let unreadable = |error: FormRejection| {
        Problem::new(Code::InvalidInput, "This form can't be read.").with_details(error.body_text())
    };
    sent.map(|Form(fields)| Fields(fields)).map_err(unreadable)
}
