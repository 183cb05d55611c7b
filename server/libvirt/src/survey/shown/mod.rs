//! What the page of a host shows. The host is only asked: no pool is refreshed.

mod bridges;
mod cpu_times;
mod networks;
mod pools;

use model::HostResources;

pub(crate) use self::cpu_times::cpu_times;
use super::facts;
use crate::{connection::Connection, error::LibvirtError};

/// All of it but how busy the CPUs are.
///
/// # Errors
/// If the host can't even give its memory.
pub(crate) fn resources(connection: &Connection) -> Result<HostResources, LibvirtError> {
    let memory = facts::memory(connection)?;
    Ok(HostResources {
        cpus_busy: None,
        cpus: connection.node_info()?.cpus,
        memory_bytes: memory.total,
        memory_unused_bytes: memory.unused,
        memory_free_bytes: memory.free,
        pools: connection.known(pools::pools(connection))?,
        networks: connection.known(networks::networks(connection))?,
        bridges: connection.known(bridges::bridges(connection))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing;

    #[test]
    fn a_host_shows_what_it_has() {
        let connection = testing::connection();
        // The test driver has no memory to tell of.
        assert!(resources(&connection).is_err());
        let networks = networks::networks(&connection).unwrap();
        let default = networks.iter().find(|network| network.name == "default").unwrap();
        assert!(default.active && default.dhcp && default.bridge.is_some());
        assert_eq!(default.addresses, ["192.168.122.1/24"]);
        let pools = pools::pools(&connection).unwrap();
        let pool = pools.iter().find(|pool| pool.name == "default-pool").unwrap();
        assert!(pool.state == "running" && pool.capacity_bytes == pool.allocation_bytes + pool.available_bytes);
    }
}
