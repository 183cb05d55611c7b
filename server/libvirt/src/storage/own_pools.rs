//! The pools of our own, through which files of a host are looked at: they exist for a moment, and are no place for a disk.

use virt::storage_pool::StoragePool;

use crate::{connection::Connection, error::LibvirtError};

/// The beginning of our pools' names; the time of their creation follows, in seconds since 1970, and a number that is random.
pub(crate) const NAME: &str = "vmferry-directory-";
/// The beginning in earlier versions, without a random number.
pub(crate) const OLD_NAME: &str = "vmferry-certificates-";

/// Whether a pool of this name is ours.
pub(crate) fn is_ours(name: &str) -> bool {
    [NAME, OLD_NAME].iter().any(|beginning| name.starts_with(beginning))
}

/// The host's pools without ours; `flags` are libvirt's (`virConnectListAllStoragePoolsFlags`).
pub(crate) fn of_others(connection: &Connection, flags: u32) -> Result<Vec<StoragePool>, LibvirtError> {
    let mut pools = Vec::new();
    for pool in connection.list_all_storage_pools(flags)? {
        if !is_ours(&pool.name()?) {
            pools.push(pool);
        }
    }
    Ok(pools)
}
