//! The system's resolver, and the machine's own addresses.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
};

use async_trait::async_trait;
use tokio::net::lookup_host;

/// Looks names up as all programs of the machine do (getaddrinfo), on a thread of tokio's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

#[async_trait]
impl engine::Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // A port is asked for, and of no use.
        Ok(lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }

    fn is_own(&self, address: IpAddr) -> bool {
        is_own(address, binds_to_any(address))
    }
}

/// Programs can only bind to addresses that the machine has, unless it `binds_to_any`. Then the source that the kernel takes for a packet
/// to the address tells: for an own address itself, but for the second ones of a network.
fn is_own(address: IpAddr, binds_to_any: bool) -> bool {
    if binds_to_any {
        return source_to(address).is_ok_and(|source| source == address);
    }
    UdpSocket::bind((address, 0)).is_ok()
}

/// Where a packet to there would come from. Nothing is sent.
fn source_to(address: IpAddr) -> io::Result<IpAddr> {
    let unspecified: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((unspecified, 0))?;
    // Any port: 9 is that of the discard protocol.
    socket.connect((address, 9))?;
    Ok(socket.local_addr()?.ip())
}

/// Whether programs may bind to addresses of other machines (`ip_nonlocal_bind`), as those do that take an address over from another.
fn binds_to_any(address: IpAddr) -> bool {
    let version = if address.is_ipv4() { "ipv4" } else { "ipv6" };
    let setting = fs::read_to_string(format!("/proc/sys/net/{version}/ip_nonlocal_bind"));
    setting.is_ok_and(|setting| setting.trim() != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_machine_is_told_from_another_s() {
        let (own, other) = (Ipv4Addr::LOCALHOST.into(), Ipv4Addr::new(203, 0, 113, 77).into());
        // The other is for documentation (RFC 5737): no machine has it. By binding, and where that tells nothing.
        for binds_to_any in [binds_to_any(own), true] {
            assert!(is_own(own, binds_to_any));
            assert!(!is_own(other, binds_to_any));
        }
    }
}
