//! Ending the process without exit handlers.

use std::io::{Write, stdout};

/// Ends the process at once, with this exit status.
///
/// To be called at the end of `main` instead of returning from it. On a return, the C library calls OpenSSL's exit handler, which
/// frees what libssh still uses on the threads that close connections, and the process ends with a segmentation fault.
pub fn exit(status: u8) -> ! {
    // A failure could not be reported any more.
    let _ = stdout().flush();
    // SAFETY: it may be called at any time, and does not return.
    unsafe { libc::_exit(status.into()) }
}
