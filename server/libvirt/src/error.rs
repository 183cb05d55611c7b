//! Why a call failed: libvirt's error as it gives it, or no answer. `translate/` says what they mean for a person.

use std::{ffi::c_int, time::Duration};

use virt::sys;

/// libvirt's error of a call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct LibvirtError {
    /// `virErrorNumber`: what went wrong.
    pub(crate) number: u32,
    /// `virErrorDomain`: the part of libvirt that reports it.
    pub(crate) domain: u32,
    /// libvirt's further number: the system's error number (errno) where `number` is `VIR_ERR_SYSTEM_ERROR`, else mostly 0 or -1.
    pub(crate) int1: c_int,
    /// The words, in the language of the daemon.
    pub(crate) message: String,
}

/// Why a call on a connection has no result.
#[derive(Debug)]
pub(crate) enum CallFailure {
    /// libvirt returned an error.
    Refused(LibvirtError),
    /// The connection is gone; the call may or may not have had its effect.
    Lost(LibvirtError),
    /// No answer within this time. The call may still have its effect.
    Late(Duration),
    /// Too many calls wait for this host already.
    Busy,
    /// The machine has no thread left, or a thread died; which of them, in words.
    Broken(String),
}

impl LibvirtError {
    /// The error of the call that has just failed on this thread.
    pub(crate) fn last() -> Self {
        virt::error::Error::last_error().into()
    }

    /// libvirt's answer is one that this crate can't use.
    pub(crate) fn unusable(message: impl Into<String>) -> Self {
        Self { number: sys::VIR_ERR_XML_ERROR, domain: sys::VIR_FROM_NONE, int1: 0, message: message.into() }
    }
}

impl From<virt::error::Error> for LibvirtError {
    /// To be used on the thread of the failed call, at once: the `virt` crate leaves out `int1`, which libvirt keeps until the
    /// thread's next call.
    fn from(error: virt::error::Error) -> Self {
        Self {
            number: error.code().to_raw(),
            domain: error.domain().to_raw(),
            int1: last_int1(),
            message: error.message().to_owned(),
        }
    }
}

/// `int1` of this thread's last error; 0 if there is none.
fn last_int1() -> c_int {
    // SAFETY: may be called on any thread, and gives NULL or this thread's own error, which nothing changes before we return.
    unsafe { sys::virGetLastError().as_ref() }.map_or(0, |error| error.int1)
}
