//! A host that gets certificates, from the command line or from the configuration.

use std::str::FromStr;

use engine::{Address, HostConfig, Ssh, Transport};
use model::{Code, HostName, Problem};

/// A host that gets certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertifiedHost {
    /// The name it is registered under.
    pub name: HostName,
    /// All addresses and names it is reached at, at least one. The certificates are valid for these only.
    pub addresses: Vec<Address>,
}

impl From<&HostConfig> for CertifiedHost {
    fn from(host: &HostConfig) -> Self {
        let own = match &host.transport {
            Transport::Local => None,
            Transport::Tcp { address, .. } | Transport::Tls { address, .. } | Transport::Ssh(Ssh { address, .. }) => {
                Some(address)
            }
        };
        let own = own.filter(|own| **own != host.peer_address);
        Self { name: host.name.clone(), addresses: own.into_iter().chain([&host.peer_address]).cloned().collect() }
    }
}

impl FromStr for CertifiedHost {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let (name, addresses) = text.split_once('=').ok_or_else(|| {
            Problem::new(Code::InvalidInput, "Give a host as name=address, or name=address,address if it has several.")
        })?;
        let addresses = addresses.split(',').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { name: name.parse()?, addresses })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_its_addresses() {
        let host: CertifiedHost = "alpha=192.0.2.7,alpha.example.org,2001:db8::7".parse().unwrap();
        assert_eq!(host.name.as_str(), "alpha");
        let addresses: Vec<_> = host.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["192.0.2.7", "alpha.example.org", "2001:db8::7"]);
        for wrong in
            ["", "alpha", "alpha=", "=192.0.2.7", "../x=a", "a=b,", "a=-x", "a=127.1", "a=b c", "a=*.example.org"]
        {
            assert!(wrong.parse::<CertifiedHost>().is_err(), "{wrong:?}");
        }
    }
}
