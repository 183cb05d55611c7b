//! Whose address an address is.

use std::net::{IpAddr, Ipv6Addr};

/// The address, or of IPv6 the /64: one customer has all of it.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    begin(address, 64)
}

/// The address, or of IPv6 the /48: one site may have all of it (RFC 6177).
pub(crate) fn site(address: IpAddr) -> IpAddr {
    begin(address, 48)
}

/// The address, or of IPv6 these first bits.
fn begin(address: IpAddr, bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (!0 << (128 - bits))).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_customers_addresses_are_one() {
        let network = |text: &str| super::network(text.parse().unwrap());
        assert_eq!(network("2001:db8:0:7::1"), network("2001:db8:0:7:ffff::2"));
        assert_ne!(network("2001:db8:0:7::1"), network("2001:db8:0:8::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn a_sites_networks_are_one() {
        let site = |text: &str| super::site(text.parse().unwrap());
        assert_eq!(site("2001:db8:0:7::1"), site("2001:db8:0:8::1"));
        assert_ne!(site("2001:db8:0:7::1"), site("2001:db8:1:7::1"));
        assert_ne!(site("::ffff:192.0.2.1"), site("::ffff:192.0.2.2"));
    }
}
