//! `/vms/<id>/console` and `/vms/<id>/screen`: a VM's serial console and its screen. Their scripts are loaded with these pages only.

use axum::{
    Extension, Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use leptos::nonce::Nonce;
use model::TerminalKind;
use port::Principal;

use super::{
    super::{DoorState, Doors, assets::addresses, headers::MakesStyles},
    document::{Failed, shown},
};

pub(super) fn router() -> Router<DoorState> {
    let page = |kind| {
        get(
            move |State(doors): State<Doors>, who: Extension<Principal>, nonce: Extension<Nonce>, id: Path<String>| async move {
                page(&doors, &who, &nonce, &id, kind)
            },
        )
    };
    Router::new()
        .route("/vms/{id}/console", page(TerminalKind::Serial))
        .route("/vms/{id}/screen", page(TerminalKind::Screen))
}

fn page(doors: &Doors, who: &Principal, nonce: &Nonce, id: &str, kind: TerminalKind) -> Result<Response, Failed> {
    let vm = doors.console.vm(who, id.parse()?)?;
    let mut response = shown(app::terminal(addresses(), &vm, kind, nonce));
    response.extensions_mut().insert(MakesStyles);
    Ok(response)
}
