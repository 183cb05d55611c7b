//! Ending the process without exit handlers.

use std::io::{Write, stdout};

/// Ends the process at once, with this exit status.
///  For the end of `main`, instead of returning from it: then the C library would let OpenSSL take down what libssh
/// still works with on the threads that close connections, and the process would end with a segmentation fault.
pub fn exit(status: u8) -> ! {
    // A failure could not be reported any more.
    let _ = stdout().flush();
    // SAFETY: it may be called at any time, and does not return.
    unsafe { libc::_exit(status.into()) }
}
