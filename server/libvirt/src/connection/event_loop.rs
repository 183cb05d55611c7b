//! The thread of libvirt's event loop: events and keep-alive of all connections.

use std::{sync::OnceLock, thread, time::Duration};

use engine::{HostError, HostErrorKind};
use virt::{event, sys};

use crate::error::LibvirtError;

/// Starts the thread, unless it runs already. To be called before the first connection is opened: only connections opened later
/// have events and keep-alive. The thread never ends, because libvirt has no call to deregister an event loop.
pub(crate) fn start() -> Result<(), HostError> {
    static STARTED: OnceLock<Result<(), HostError>> = OnceLock::new();
    STARTED.get_or_init(start_once).clone()
}

fn start_once() -> Result<(), HostError> {
    let failed = |why: String| {
        HostError::new(HostErrorKind::Internal, "The libvirt library can't be initialized.").with_details(why)
    };
    // SAFETY: it may be called at any time, from any thread.
    if unsafe { sys::virInitialize() } < 0 {
        return Err(failed("virInitialize failed".to_owned()));
    }
    // Otherwise libvirt also writes each error to stderr. The calls return them.
    virt::error::clear_error_callback();
    event::event_register_default_impl().map_err(|error| failed(LibvirtError::from(error).message))?;
    thread::Builder::new().name("libvirt-events".to_owned()).spawn(run).map_err(|error| failed(error.to_string()))?;
    Ok(())
}

fn run() {
    loop {
        if let Err(error) = event::event_run_default_impl() {
            // Only if poll(2) itself fails. Without a pause this would be a busy loop.
            tracing::error!(%error, "libvirt's event loop failed");
            thread::park_timeout(Duration::from_secs(1));
        }
    }
}
