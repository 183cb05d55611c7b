//! Where a migration shall go, as it is asked for.

use crate::{HostLogin, HostName};

/// Where a migration shall go. `A` is an ad-hoc destination: the port takes what was typed, the engine what was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination<A = AdHocDestination> {
    /// A registered host, as it is.
    Registered(HostName),
    /// A host named by hand, reached for this migration.
    Address(A),
}

impl<A> From<HostName> for Destination<A> {
    fn from(host: HostName) -> Self {
        Self::Registered(host)
    }
}

impl From<AdHocDestination> for Destination {
    fn from(destination: AdHocDestination) -> Self {
        Self::Address(destination)
    }
}

/// A destination that may not be registered, or that is logged in at for this migration only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdHocDestination {
    /// A registered host's name or address, or the address of a host that is not registered.
    pub address: String,
    /// Its ssh port, 22 if left out.
    pub port: Option<u16>,
    /// What was typed.
    pub login: HostLogin,
    /// Keep the host, without the password, under this name once the migration has begun.
    pub register: Option<HostName>,
}
