//! What a page starts from: what is in its scope, as the server had it when it rendered the page.

use model::{Scope, Snapshot};

use crate::failure::Failure;

/// The console has it in memory, so rendering waits for nothing.
#[cfg(feature = "ssr")]
pub(crate) fn snapshot(scope: &Scope) -> Result<Snapshot, Failure> {
    use crate::console::{console, refused, who};

    console().snapshot(&who()?, Some(scope.clone())).map_err(refused)
}

/// Called in the browser only when a link leads from a page without a snapshot to one with it. Only the server has the snapshot, so the
/// browser loads the whole page.
#[cfg(not(feature = "ssr"))]
pub(crate) fn snapshot(_scope: &Scope) -> Result<Snapshot, Failure> {
    // Fails only where there is no page any more.
    let _ = leptos::prelude::window().location().reload();
    Ok(Snapshot::default())
}
