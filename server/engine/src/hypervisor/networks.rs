//! Which addresses the console connects to for its users.
//!
//! Whoever may name a host may name the console's own machine, or a service that only answers there or on its link: a cloud's metadata,
//! for one. What the console answers would tell which ports are open. So what a name stands for is checked, and the address that was checked
//! is connected to.

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use async_trait::async_trait;
use ipnet::IpNet;

use super::{Address, HostConfig};

/// Looks names up, and knows the machine's own addresses: the system, or a table in tests.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// The addresses of this name.
    ///
    /// # Errors
    /// If there are none.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;

    /// Whether this machine has this address.
    fn is_own(&self, address: IpAddr) -> bool;
}

/// The networks that hosts may be in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AllowedNetworks {
    /// All: for a demo, whose hosts are on this machine.
    Any,
    /// All but this machine, its links and groups of machines. [`Self::allow`] knows those addresses that mean another machine to each that
    /// uses them, [`Networks`] also the others that this machine has.
    #[default]
    Routed,
    /// These alone, as the configuration lists them.
    Listed(Vec<IpNet>),
}

impl AllowedNetworks {
    /// Whether hosts may be at this address.
    pub fn allow(&self, address: IpAddr) -> bool {
        // An IPv4 address in IPv6's notation is connected to by IPv4.
        let address = address.to_canonical();
        match self {
            Self::Any => true,
            Self::Routed => is_routed(address),
            Self::Listed(networks) => networks.iter().any(|network| network.contains(&address)),
        }
    }
}

/// Whether an address means the same machine wherever it is used within a site (RFC 6890: loopback, link-local, "this network",
/// multicast, limited broadcast).
fn is_routed(address: IpAddr) -> bool {
    let is_special = match address {
        IpAddr::V4(address) => is_special_v4(address),
        IpAddr::V6(address) => {
            // ::7f00:1 is an IPv4 address in a notation that is no longer used (RFC 4291, 2.5.5.1).
            let compatible = address.segments()[..6].iter().all(|part| *part == 0);
            let is_old_v4 = compatible && address.to_ipv4().is_some_and(is_special_v4);
            is_old_v4 || address == Ipv6Addr::LOCALHOST || address.is_unicast_link_local() || address.is_multicast()
        }
    };
    !is_special
}

fn is_special_v4(address: Ipv4Addr) -> bool {
    let is_this_network = address.octets()[0] == 0;
    is_this_network
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
}

/// Why the console does not connect to an address.
#[derive(Debug, thiserror::Error)]
pub enum NoAddress {
    /// The name can't be resolved.
    #[error("{0}")]
    NotResolved(io::Error),
    /// It is, or stands for, an address that hosts may not be at.
    #[error("{0} is not in an allowed network")]
    NotAllowed(IpAddr),
}

/// Resolves and checks the addresses of hosts.
pub struct Networks {
    allowed: AllowedNetworks,
    /// Hosts of the configuration: whoever wrote it may mean any machine.
    configured: HashSet<Address>,
    resolver: Box<dyn Resolve>,
}

impl Networks {
    /// The addresses of `configured` are allowed, whatever they stand for, and those in `allowed`.
    pub fn new(allowed: AllowedNetworks, configured: &[HostConfig], resolver: impl Resolve + 'static) -> Self {
        let addresses = |host: &HostConfig| {
            let own = host.transport.host_address().cloned();
            own.into_iter().chain([host.peer_address.clone()])
        };
        let configured = configured.iter().flat_map(addresses).collect();
        Self { allowed, configured, resolver: Box::new(resolver) }
    }

    /// Whether hosts that are not in the configuration may be at this address.
    pub fn allow(&self, address: IpAddr) -> bool {
        self.allowed.allow(address)
    }

    /// Whether a host of the configuration has this address.
    pub fn is_configured(&self, address: &Address) -> bool {
        self.configured.contains(address)
    }

    /// What an address stands for, looked up and checked. A name is refused if any of its addresses is.
    ///
    /// # Errors
    /// [`NoAddress`]: nothing was connected to.
    pub async fn addresses(&self, address: &Address) -> Result<Vec<IpAddr>, NoAddress> {
        let addresses = match (address.ip(), address) {
            (None, Address::Name(name)) => self.resolver.resolve(name).await.map_err(NoAddress::NotResolved)?,
            (ip, _) => ip.into_iter().collect(),
        };
        let refused = addresses.iter().find(|ip| !self.may_connect_to(**ip) && !self.is_configured(address));
        refused.map_or_else(|| Ok(addresses.clone()), |ip| Err(NoAddress::NotAllowed(*ip)))
    }

    /// Which addresses are this machine's is asked each time: they change.
    fn may_connect_to(&self, ip: IpAddr) -> bool {
        let is_own = || self.allowed == AllowedNetworks::Routed && self.resolver.is_own(ip.to_canonical());
        self.allowed.allow(ip) && !is_own()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Transport, *};

    /// A resolver that knows these names, and whose answers tests can count on.
    struct Table(Vec<(&'static str, Vec<&'static str>)>);

    #[async_trait]
    impl Resolve for Table {
        async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
            let found = self.0.iter().find(|(known, _)| *known == name);
            let (_, addresses) = found.ok_or_else(|| io::Error::other("no such name"))?;
            Ok(addresses.iter().map(|text| text.parse().unwrap()).collect())
        }

        fn is_own(&self, address: IpAddr) -> bool {
            ["198.51.100.1", "2001:db8::1"].iter().any(|own| own.parse() == Ok(address))
        }
    }

    fn networks(allowed: AllowedNetworks, configured: &[HostConfig]) -> Networks {
        let table = [
            ("console", vec!["127.0.1.1"]),
            ("rebound", vec!["192.0.2.7", "::1"]),
            ("metadata", vec!["169.254.169.254"]),
            ("mapped", vec!["::ffff:127.0.0.1"]),
            ("host7", vec!["192.0.2.7", "2001:db8::7"]),
            ("lan", vec!["192.0.2.7", "198.51.100.1"]),
        ];
        Networks::new(allowed, configured, Table(table.to_vec()))
    }

    async fn answer(networks: &Networks, address: &str) -> Result<usize, String> {
        let addresses = networks.addresses(&address.parse().unwrap()).await;
        addresses.map(|addresses| addresses.len()).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_name_that_stands_for_this_machine_or_its_link_is_refused() {
        let routed = networks(AllowedNetworks::Routed, &[]);
        for (name, ip) in [
            ("console", "127.0.1.1"),
            ("rebound", "::1"),
            ("metadata", "169.254.169.254"),
            ("mapped", "::ffff:127.0.0.1"),
            ("127.0.0.2", "127.0.0.2"),
        ] {
            assert_eq!(answer(&routed, name).await, Err(format!("{ip} is not in an allowed network")), "{name}");
        }
        assert_eq!(answer(&routed, "host7").await, Ok(2));
        assert_eq!(answer(&routed, "192.0.2.7").await, Ok(1));
        assert_eq!(answer(&routed, "nowhere").await, Err("no such name".to_owned()));
        assert_eq!(answer(&networks(AllowedNetworks::Any, &[]), "console").await, Ok(1), "a demo's");
    }

    #[tokio::test]
    async fn this_machine_is_refused_by_each_of_its_addresses() {
        let routed = networks(AllowedNetworks::Routed, &[]);
        for (name, ip) in [
            ("lan", "198.51.100.1"),
            ("198.51.100.1", "198.51.100.1"),
            ("::ffff:198.51.100.1", "::ffff:198.51.100.1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(answer(&routed, name).await, Err(format!("{ip} is not in an allowed network")), "{name}");
        }
        let listed = networks(AllowedNetworks::Listed(vec!["198.51.100.0/24".parse().unwrap()]), &[]);
        assert_eq!(answer(&listed, "198.51.100.1").await, Ok(1), "it is listed");
        assert_eq!(answer(&networks(AllowedNetworks::Any, &[]), "lan").await, Ok(2), "a demo's");
    }

    #[tokio::test]
    async fn the_configuration_may_name_any_host_and_list_networks() {
        let transport = Transport::Tls { address: "console".parse().unwrap(), port: 16514 };
        let configured = [HostConfig {
            name: "own".parse().unwrap(),
            transport: transport.clone(),
            peer_address: "198.51.100.1".parse().unwrap(),
            peer_transport: transport,
            bandwidth_mib_s: None,
            policy_defaults: model::PolicyDefaults::default(),
            shared_directories: Vec::new(),
            budget: model::HostBudget::default(),
        }];
        let routed = networks(AllowedNetworks::Routed, &configured);
        assert_eq!(answer(&routed, "console").await, Ok(1));
        assert_eq!(answer(&routed, "198.51.100.1").await, Ok(1));
        assert!(answer(&routed, "127.0.1.1").await.is_err(), "only as it is written there");
        let listed = AllowedNetworks::Listed(["192.0.2.0/24", "127.0.1.0/24"].map(|net| net.parse().unwrap()).to_vec());
        let listed = networks(listed, &[]);
        assert_eq!(answer(&listed, "console").await, Ok(1));
        assert!(answer(&listed, "host7").await.is_err(), "its IPv6 address is in neither");
        assert!(answer(&listed, "203.0.113.1").await.is_err());
    }

    #[test]
    fn special_addresses_are_not_routed_in_any_notation() {
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.0.1",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.1.1",
            "::127.0.0.1",
            "::169.254.169.254",
        ] {
            assert!(!AllowedNetworks::Routed.allow(special.parse().unwrap()), "{special}");
        }
        for routed in ["10.0.0.1", "192.168.1.1", "192.0.2.7", "2001:db8::7", "fd00::7", "::ffff:192.0.2.7"] {
            assert!(AllowedNetworks::Routed.allow(routed.parse().unwrap()), "{routed}");
        }
    }
}
