//! libvirt's errors as it gives them. What they mean for a person: `translate.rs`.

use std::ffi::c_int;

use virt::sys;

/// What libvirt said of a call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct LibvirtError {
    /// `virErrorNumber`.
    pub(crate) number: u32,
    /// The system's error number, when `number` is `VIR_ERR_SYSTEM_ERROR`.
    pub(crate) errno: Option<c_int>,
    /// The words, in the language of the daemon.
    pub(crate) message: String,
}

impl LibvirtError {
    /// The error of the call that has just failed on this thread.
    pub(crate) fn last() -> Self {
        virt::error::Error::last_error().into()
    }
}

impl From<virt::error::Error> for LibvirtError {
    /// To be used on the thread of the failed call, at once: the `virt` crate leaves out the system's error number, which libvirt
    /// keeps until the thread's next call.
    fn from(error: virt::error::Error) -> Self {
        let number = error.code().to_raw();
        let errno = (number == sys::VIR_ERR_SYSTEM_ERROR).then(last_errno).flatten();
        Self { number, errno, message: error.message().to_owned() }
    }
}

/// `int1` of this thread's last error, which is the system's error number in a `VIR_ERR_SYSTEM_ERROR`.
fn last_errno() -> Option<c_int> {
    // SAFETY: may be called on any thread, and gives NULL or this thread's own error, which nothing changes before we return.
    let errno = unsafe { sys::virGetLastError().as_ref() }?.int1;
    (errno != 0).then_some(errno)
}
