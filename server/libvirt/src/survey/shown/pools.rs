//! Storage pools with their space.

use model::HostPool;
use virt::{storage_pool::StoragePool, sys};

use crate::{connection::Connection, error::LibvirtError, storage::own_pools, xml};

/// All pools but ours, by name.
pub(super) fn pools(connection: &Connection) -> Result<Vec<HostPool>, LibvirtError> {
    let mut found = Vec::new();
    for pool in own_pools::of_others(connection, 0)? {
        match one(connection, &pool) {
            Ok(pool) => found.push(pool),
            // Removed meanwhile.
            Err(error) if error.number == sys::VIR_ERR_NO_STORAGE_POOL => {}
            Err(error) => return Err(error),
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn one(connection: &Connection, pool: &StoragePool) -> Result<HostPool, LibvirtError> {
    let text = pool.xml_desc(0)?;
    let document = xml::parse(&text)?;
    let root = document.root_element();
    let info = pool.info()?;
    Ok(HostPool {
        name: pool.name()?,
        kind: root.attribute("type").unwrap_or_default().to_owned(),
        state: state(info.state),
        autostart: connection.known(pool.autostart().map_err(LibvirtError::from))?,
        path: xml::text(root, &["target", "path"]).map(str::to_owned),
        capacity_bytes: info.capacity,
        allocation_bytes: info.allocation,
        available_bytes: info.available,
    })
}

/// As virsh says it.
fn state(state: sys::virStoragePoolState) -> &'static str {
    match state {
        sys::VIR_STORAGE_POOL_INACTIVE => "inactive",
        sys::VIR_STORAGE_POOL_BUILDING => "building",
        sys::VIR_STORAGE_POOL_RUNNING => "running",
        sys::VIR_STORAGE_POOL_DEGRADED => "degraded",
        sys::VIR_STORAGE_POOL_INACCESSIBLE => "inaccessible",
        _ => "unknown",
    }
}
