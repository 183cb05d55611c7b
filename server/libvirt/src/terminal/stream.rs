//! A stream of libvirt's that tells when there is something to read, instead of blocking a thread until then.

use std::{
    ffi::{c_char, c_int, c_void},
    sync::Arc,
};

use tokio::sync::Notify;
use virt::{stream::Stream, sys};

use crate::{connection::Connection, error::LibvirtError};

/// How much is read at once, in bytes.
const PIECE: usize = 16 << 10;

/// What libvirt's calls return where they would block.
const WOULD_BLOCK: c_int = -2;

/// libvirt also calls back when the stream has ended: then it can be read, too, and reading says so.
const READABLE: sys::virStreamEventType =
    sys::VIR_STREAM_EVENT_READABLE | sys::VIR_STREAM_EVENT_ERROR | sys::VIR_STREAM_EVENT_HANGUP;

/// What came of reading.
pub(super) enum Read {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing so far.
    NothingYet,
    /// The other side has closed the stream.
    End,
}

/// A stream that never blocks.
pub(super) struct QuietStream {
    stream: Stream,
    readable: Arc<Notify>,
    is_watched: bool,
}

impl QuietStream {
    pub(super) fn new(connection: &Connection) -> Result<Self, LibvirtError> {
        let stream = Stream::new(connection, sys::VIR_STREAM_NONBLOCK)?;
        Ok(Self { stream, readable: Arc::default(), is_watched: false })
    }

    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Watches the stream, which a call of libvirt's has connected.
    pub(super) fn watch(&mut self) -> Result<(), LibvirtError> {
        let opaque = Arc::into_raw(Arc::clone(&self.readable)).cast_mut().cast::<c_void>();
        // SAFETY: the stream is open. `opaque` is what `on_event` and `give_back` expect; libvirt calls `give_back` once, after the last
        // call of `on_event`.
        let result = unsafe {
            sys::virStreamEventAddCallback(
                self.stream.as_ptr(),
                READABLE as c_int,
                Some(on_event),
                opaque,
                Some(give_back),
            )
        };
        if result < 0 {
            let error = LibvirtError::last();
            give_back(opaque);
            return Err(error);
        }
        self.is_watched = true;
        Ok(())
    }

    /// Resolves when there may be something to read. To be asked again only after everything has been read.
    pub(super) async fn readable(&self) {
        self.readable.notified().await;
    }

    /// Reads what is there. Where that is nothing, libvirt tells of what comes next.
    pub(super) fn read(&self) -> Result<Read, LibvirtError> {
        let mut bytes = vec![0; PIECE];
        // SAFETY: the stream is open, and `bytes` has the length that is passed.
        let received =
            unsafe { sys::virStreamRecv(self.stream.as_ptr(), bytes.as_mut_ptr().cast::<c_char>(), bytes.len()) };
        match received {
            0 => Ok(Read::End),
            WOULD_BLOCK => {
                // SAFETY: the stream is open and has a callback.
                unsafe { sys::virStreamEventUpdateCallback(self.stream.as_ptr(), READABLE as c_int) };
                Ok(Read::NothingYet)
            }
            len => {
                bytes.truncate(usize::try_from(len).map_err(|_| LibvirtError::last())?);
                Ok(Read::Bytes(bytes))
            }
        }
    }

    /// Writes some of these bytes, and returns how many: none where libvirt can't take any now.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, LibvirtError> {
        // SAFETY: the stream is open, and `bytes` has the length that is passed.
        let sent = unsafe { sys::virStreamSend(self.stream.as_ptr(), bytes.as_ptr().cast::<c_char>(), bytes.len()) };
        match sent {
            WOULD_BLOCK => Ok(0),
            len => usize::try_from(len).map_err(|_| LibvirtError::last()),
        }
    }
}

impl Drop for QuietStream {
    /// Closes it, so that the daemon lets the next client in.
    fn drop(&mut self) {
        // SAFETY: the stream is open. What the calls return does not matter: it may have ended by itself.
        unsafe {
            if self.is_watched {
                sys::virStreamEventRemoveCallback(self.stream.as_ptr());
            }
            sys::virStreamAbort(self.stream.as_ptr());
        }
    }
}

/// Runs on libvirt's event loop, which would call it again and again until all is read: so it first asks to be left alone.
extern "C" fn on_event(stream: sys::virStreamPtr, _events: c_int, opaque: *mut c_void) {
    // SAFETY: libvirt passes a stream that is open, and the `opaque` of `watch`, a `Notify` that lives until `give_back`.
    let readable = unsafe {
        sys::virStreamEventUpdateCallback(stream, 0);
        &*opaque.cast::<Notify>()
    };
    readable.notify_one();
}

/// libvirt has called back for the last time.
extern "C" fn give_back(opaque: *mut c_void) {
    // SAFETY: it comes from `Arc::into_raw` in `watch`, and is given back once.
    drop(unsafe { Arc::from_raw(opaque.cast_const().cast::<Notify>()) });
}
