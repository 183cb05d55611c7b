//! libvirt's streams: a volume's contents chunk by chunk, holes as holes.

use std::ffi::{c_char, c_longlong};

use engine::Chunk;
use virt::{stream::Stream, sys};

use crate::error::LibvirtError;

/// The most that one message of libvirt's carries, in bytes (`VIR_NET_MESSAGE_LEGACY_PAYLOAD_MAX`).
const MESSAGE: usize = 262_120;

/// What `virStreamRecvFlags` returns where a hole begins.
const AT_HOLE: i32 = -3;

/// The next chunk; none at the end. Blocks until there is one.
pub(crate) fn receive(stream: &Stream) -> Result<Option<Chunk>, LibvirtError> {
    let mut data = vec![0; MESSAGE];
    // SAFETY: the stream is open, and `data` has the length that is passed.
    let received = unsafe {
        let place = data.as_mut_ptr().cast::<c_char>();
        sys::virStreamRecvFlags(stream.as_ptr(), place, data.len(), sys::VIR_STREAM_RECV_STOP_AT_HOLE)
    };
    match received {
        0 => Ok(None),
        AT_HOLE => receive_hole(stream).map(Some),
        len => {
            data.truncate(usize::try_from(len).map_err(|_| LibvirtError::last())?);
            Ok(Some(Chunk::Data(data)))
        }
    }
}

fn receive_hole(stream: &Stream) -> Result<Chunk, LibvirtError> {
    let mut len: c_longlong = 0;
    // SAFETY: the stream is open, and `len` is a variable for the result.
    if unsafe { sys::virStreamRecvHole(stream.as_ptr(), &mut len, 0) } < 0 {
        return Err(LibvirtError::last());
    }
    u64::try_from(len).map(Chunk::Hole).map_err(|_| LibvirtError::unusable("a hole of negative length"))
}

/// Sends a chunk. Blocks until libvirt has taken it.
pub(crate) fn send(stream: &Stream, chunk: &Chunk) -> Result<(), LibvirtError> {
    match chunk {
        Chunk::Data(data) => data.chunks(MESSAGE).try_for_each(|part| send_data(stream, part)),
        // For this the daemon would close the connection.
        Chunk::Hole(0) => Ok(()),
        Chunk::Hole(len) => send_hole(stream, *len),
    }
}

fn send_data(stream: &Stream, mut data: &[u8]) -> Result<(), LibvirtError> {
    while !data.is_empty() {
        let sent = stream.send(data)?;
        let sent = usize::try_from(sent).map_err(|_| LibvirtError::unusable("the stream is non-blocking"))?;
        data = data.get(sent..).unwrap_or_default();
    }
    Ok(())
}

fn send_hole(stream: &Stream, len: u64) -> Result<(), LibvirtError> {
    let len = c_longlong::try_from(len).map_err(|_| LibvirtError::unusable("a hole is too long"))?;
    // SAFETY: the stream is open.
    if unsafe { sys::virStreamSendHole(stream.as_ptr(), len, 0) } < 0 {
        return Err(LibvirtError::last());
    }
    Ok(())
}
