//! The addresses that a host's networks have given out.

use std::{
    ffi::{CStr, c_char},
    ptr,
};

use engine::Lease;
use virt::{network::Network, sys};

use crate::{connection::Connection, error::LibvirtError};

/// All of them that have not ended: a question a network. A network that does not say has none.
pub(crate) fn leases(connection: &Connection) -> Result<Vec<Lease>, LibvirtError> {
    let mut found = Vec::new();
    for network in connection.list_all_networks(sys::VIR_CONNECT_LIST_NETWORKS_ACTIVE)? {
        found.extend(connection.known(of(&network))?.unwrap_or_default());
    }
    Ok(found)
}

/// `virNetworkGetDHCPLeases`, which the `virt` crate lacks.
fn of(network: &Network) -> Result<Vec<Lease>, LibvirtError> {
    let mut list = ptr::null_mut();
    // SAFETY: the network is open; without a MAC address all leases are returned, in a list that libvirt stores in `list`.
    let count = unsafe { sys::virNetworkGetDHCPLeases(network.as_ptr(), ptr::null(), &mut list, 0) };
    let count = usize::try_from(count).map_err(|_| LibvirtError::last())?;
    let mut found = Vec::new();
    for index in 0..count {
        // SAFETY: libvirt returned so many leases, each to be freed by its caller.
        unsafe {
            let lease = *list.add(index);
            if let (Some(mac), Some(address)) = (text((*lease).mac), text((*lease).ipaddr)) {
                found.push(Lease { mac: mac.to_ascii_lowercase(), address });
            }
            sys::virNetworkDHCPLeaseFree(lease);
        }
    }
    // SAFETY: libvirt allocated the list for its caller, who has to free it, and it is not used any more.
    unsafe { libc::free(list.cast()) };
    Ok(found)
}

/// # Safety
/// The pointer is NULL or to a string that ends with a NUL byte.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller promises it.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing;

    #[test]
    fn leases_are_read_or_not_known() {
        for lease in leases(&testing::connection()).unwrap() {
            assert!(lease.mac.len() == 17 && lease.address.parse::<std::net::IpAddr>().is_ok(), "{lease:?}");
        }
    }
}
