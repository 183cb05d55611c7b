//! What pages ask of the console about VMs. All server functions are POST, so that the CSRF layer sees them; each asks who calls, then
//! calls the port once.

use leptos::prelude::*;
use model::{HostName, VmAction, VmId};

#[cfg(feature = "ssr")]
use crate::console::{after_form, console, refused, who};
use crate::failure::Failure;

/// Starts, shuts down, forces off, pauses or resumes a VM on the host that the page has shown it on.
#[server]
pub async fn act(vm: VmId, host: HostName, action: VmAction) -> Result<(), Failure> {
    console().act(&who()?, vm, Some(&host), action).await.map_err(refused)?;
    after_form("/");
    Ok(())
}
