//! What the agent in a guest says. It may never answer: only who can wait asks.

use model::{GuestFacts, VmId};
use virt::sys;

use crate::{
    connection::Connection,
    error::LibvirtError,
    ffi::{guest_info::guest_info, typed_params::string},
};

/// What the agent says. What it does not know is left out.
pub(crate) fn guest(connection: &Connection, vm: VmId) -> Result<GuestFacts, LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    let info = guest_info(&domain, sys::VIR_DOMAIN_GUEST_INFO_OS | sys::VIR_DOMAIN_GUEST_INFO_HOSTNAME)?;
    let named = |name| string(info.as_slice(), name).map(str::to_owned);
    let interfaces = domain.interface_addresses(sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT, 0);
    let interfaces = connection.known(interfaces.map_err(LibvirtError::from))?.unwrap_or_default();
    let addresses = interfaces.into_iter().flat_map(|interface| interface.addrs).map(|address| address.addr);
    Ok(GuestFacts {
        os: named(c"os.pretty-name").or_else(|| named(c"os.name")),
        hostname: named(c"hostname"),
        addresses: addresses.filter(|address| !is_loopback(address)).collect(),
    })
}

fn is_loopback(address: &str) -> bool {
    address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing;

    #[test]
    fn a_driver_without_agents_is_an_error() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "without-agent");
        assert!(guest(&connection, vm).is_err());
        assert!(is_loopback("127.0.0.1") && is_loopback("::1") && !is_loopback("192.0.2.7") && !is_loopback("fe80::1"));
    }
}
