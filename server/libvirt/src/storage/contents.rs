//! Contents of volumes: read and written whole, holes as holes.

use engine::Chunk;
use tokio::sync::mpsc::{Receiver, Sender};
use virt::{storage_vol::StorageVol, stream::Stream, sys};

use super::{space::Space, streams, volumes};
use crate::{connection::Connection, error::LibvirtError};

/// How much is requested of the daemon at a time, in bytes: libvirt buffers all that the daemon sends in our memory, however slow the
/// receiver is.
const WINDOW: u64 = 64 << 20;

/// Sends a volume's contents, holes as holes. Ends early if the receiver is dropped.
pub(crate) fn read(connection: &Connection, pool: &str, name: &str, to: &Sender<Chunk>) -> Result<(), LibvirtError> {
    let volume = connection.lookup_storage_pool_by_name(pool)?.lookup_storage_vol_by_name(name)?;
    let mut offset = 0;
    while let Some(WINDOW) = read_window(connection, &volume, offset, to)? {
        offset += WINDOW;
    }
    Ok(())
}

/// Sends the contents from this offset on, at most a window. Returns how many bytes that was; none if the receiver was dropped.
fn read_window(
    connection: &Connection,
    volume: &StorageVol,
    offset: u64,
    to: &Sender<Chunk>,
) -> Result<Option<u64>, LibvirtError> {
    let stream = Stream::new(connection, 0)?;
    volume.download(&stream, offset, WINDOW, sys::VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM)?;
    finished(stream, |stream| {
        let mut sent = 0;
        while let Some(chunk) = streams::receive(stream)? {
            sent += match &chunk {
                Chunk::Data(data) => data.len() as u64,
                Chunk::Hole(len) => *len,
            };
            if to.blocking_send(chunk).is_err() {
                return Ok(None);
            }
        }
        Ok(Some(sent))
    })
}

/// `len` bytes of a volume from this offset on, or fewer where it ends.
pub(crate) fn part(
    connection: &Connection,
    volume: &StorageVol,
    offset: u64,
    len: u64,
) -> Result<Vec<u8>, LibvirtError> {
    let stream = Stream::new(connection, 0)?;
    volume.download(&stream, offset, len, 0)?;
    let part = finished(stream, |stream| {
        let mut bytes = Vec::new();
        while let Some(Chunk::Data(data)) = streams::receive(stream)? {
            bytes.extend(data);
        }
        Ok(Some(bytes))
    })?;
    Ok(part.unwrap_or_default())
}

/// Replaces a volume's contents with what it receives.
pub(crate) fn write(
    connection: &Connection,
    pool: &str,
    name: &str,
    from: &mut Receiver<Chunk>,
) -> Result<(), LibvirtError> {
    let pool = connection.lookup_storage_pool_by_name(pool)?;
    let volume = pool.lookup_storage_vol_by_name(name)?;
    // Holes do not overwrite, so that old contents would stay in them and behind the end; and a new qcow2 image is not empty.
    // Sending a hole truncates the file where the hole ends. It is at least one byte long, and then a zero byte replaces that byte.
    for rest in [Chunk::Hole(1), Chunk::Data(vec![0])] {
        upload(connection, &volume, |stream| streams::send(stream, &rest))?;
    }
    // Devices are allocated in full already.
    let mut space = volumes::is_of_files(&pool.xml_desc(0)?)?.then(|| Space::new(&pool));
    upload(connection, &volume, |stream| {
        while let Some(chunk) = from.blocking_recv() {
            if let (Some(space), Chunk::Data(data)) = (&mut space, &chunk) {
                space.take(data.len() as u64)?;
            }
            streams::send(stream, &chunk)?;
        }
        Ok(())
    })
}

fn upload(
    connection: &Connection,
    volume: &StorageVol,
    send: impl FnOnce(&Stream) -> Result<(), LibvirtError>,
) -> Result<(), LibvirtError> {
    let stream = Stream::new(connection, 0)?;
    volume.upload(&stream, 0, 0, sys::VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM)?;
    finished(stream, |stream| send(stream).map(Some)).map(drop)
}

/// Uses a stream, then finishes or aborts it: the daemon keeps the volume open until then. `work` returns none if it does not want the
/// rest.
fn finished<T>(
    stream: Stream,
    work: impl FnOnce(&Stream) -> Result<Option<T>, LibvirtError>,
) -> Result<Option<T>, LibvirtError> {
    let result = work(&stream);
    match result {
        Ok(Some(_)) => stream.finish()?,
        Ok(None) => stream.abort()?,
        // Fails if the daemon has ended the stream itself.
        Err(_) => drop(stream.abort()),
    }
    result
}
