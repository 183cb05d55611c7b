//! VMs and the state of everything.

use leptos::prelude::*;
use model::{Snapshot, VmAction, VmId};

#[cfg(feature = "ssr")]
use super::door::{after_form, console, refused, who};
use super::{Failure, Json};

/// What a page starts from.
#[server(output = Json)]
pub async fn load_snapshot() -> Result<Snapshot, Failure> {
    console().snapshot(&who().await?).map_err(refused)
}

/// Starts, stops, pauses or resumes a VM.
#[server(output = Json)]
pub async fn act(vm: VmId, action: VmAction) -> Result<(), Failure> {
    console().act(&who().await?, vm, action).await.map_err(refused)?;
    after_form("/");
    Ok(())
}
