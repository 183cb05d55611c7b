//! VMs and the state of everything.

use leptos::prelude::*;
use model::{Snapshot, VmAction, VmId};

#[cfg(feature = "ssr")]
use crate::console::after_form;
#[cfg(feature = "ssr")]
use crate::console::console;
#[cfg(feature = "ssr")]
use crate::console::refused;
#[cfg(feature = "ssr")]
use crate::console::who;
use crate::failure::Failure;
use crate::ui::json::Json;

/// What a page starts from, as JSON; or the failure, likewise. It is in the console's memory, so nobody waits for it.
#[cfg(feature = "ssr")]
pub fn snapshot() -> String {
    let answer = who().and_then(|who| console().snapshot(&who).map_err(refused));
    let json = match &answer {
        Ok(snapshot) => serde_json::to_string(snapshot),
        Err(failure) => serde_json::to_string(failure),
    };
    json.unwrap_or_default()
}

/// Only the server knows what a page starts from, so the browser asks for the whole page.
#[cfg(not(feature = "ssr"))]
pub fn snapshot() -> String {
    // Fails only where there is no page any more.
    let _ = window().location().reload();
    String::new()
}

/// Reads what [`snapshot`] said.
pub fn read_snapshot(json: &str) -> Result<Snapshot, Failure> {
    Failure::or_answer(json).map_err(|_| Failure::from_json(json))
}

/// Starts, stops, pauses or resumes a VM.
#[server(output = Json)]
pub async fn act(vm: VmId, action: VmAction) -> Result<(), Failure> {
    console().act(&who()?, vm, action).await.map_err(refused)?;
    after_form("/");
    Ok(())
}
