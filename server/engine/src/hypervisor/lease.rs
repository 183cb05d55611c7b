//! Addresses that networks of hosts give out.

/// An IP address that a network of a host has given out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lease {
    /// The MAC address that has it, in lower case.
    pub mac: String,
    /// The IP address, without a prefix.
    pub address: String,
}
