//! `vmferry.toml`.
//!
//! Every field is checked when the file is read, so that URIs can be built of it safely. An unknown key is refused: it is a typing
//! error, and the default would count instead of what the admin meant.

mod error;
mod hooks;
mod hosts;
mod key_passphrase;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use engine::{AllowedNetworks, HostConfig};
use ipnet::IpNet;
use model::{HostSettings, Problem, Secret};
use serde::{Deserialize, Deserializer, de::Error};

pub use error::ConfigError;
pub use hooks::{Hook, HookOn, HookTarget};

use crate::{
    auth::SessionLimits,
    http::{Names, PublicUrl, Site, is_name},
    server,
};

/// The configuration of `vmferry serve`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the console listens; port 8443 of all addresses by default.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Where it keeps its database, the certificate and the ssh key that it makes, and the ssh keys of hosts.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// What it speaks there: `https` by default, `http` behind a proxy.
    protocol: Option<Protocol>,
    /// The address that browsers use, if a proxy is in front of the console.
    #[serde(default, deserialize_with = "parsed")]
    public_url: Option<PublicUrl>,
    /// The proxy's address: its X-Forwarded-For is believed, and requests from elsewhere are refused.
    proxy: Option<IpAddr>,
    /// Names under which browsers reach the console, beside addresses, its machine's name and those of its certificate.
    #[serde(default)]
    allowed_hosts: Vec<String>,
    /// The certificate; without it the console makes one of its own.
    pub tls: Option<Certificate>,
    /// How long sessions last.
    #[serde(default)]
    sessions: Sessions,
    /// Whether hosts may be added at run time that are reached by plain TCP, which can be read and changed on the network.
    #[serde(default)]
    pub allow_tcp: bool,
    /// The networks that hosts may be in which users name, in CIDR notation. Without it: all but this machine's own addresses and its
    /// links. The hosts below may be anywhere.
    allowed_networks: Option<Vec<IpNet>>,
    /// A file with the passphrase that the console's own ssh key is encrypted with; systemd's credential `key-passphrase` counts, too.
    key_passphrase_file: Option<PathBuf>,
    /// What is run or called when a host is empty, and when all is home.
    #[serde(default)]
    hooks: Vec<hooks::HookSettings>,
    /// The hosts.
    #[serde(default)]
    hosts: Vec<HostSettings>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Https,
    Http,
}

/// Files in PEM.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The certificate, followed by those between it and the authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sessions {
    idle_minutes: u32,
    absolute_hours: u32,
}

impl Default for Sessions {
    fn default() -> Self {
        let SessionLimits { idle, absolute } = SessionLimits::default();
        let whole = |seconds: u64| u32::try_from(seconds).unwrap_or(u32::MAX);
        Self { idle_minutes: whole(idle.as_secs() / 60), absolute_hours: whole(absolute.as_secs() / 3_600) }
    }
}

fn default_listen() -> SocketAddr {
    (Ipv4Addr::UNSPECIFIED, 8443).into()
}

fn default_data_dir() -> PathBuf {
    "/var/lib/vmferry".into()
}

/// Parses text by the type's own rules, so that toml adds the line to its error.
fn parsed<'de, D: Deserializer<'de>, T: std::str::FromStr<Err = Problem>>(from: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map(Some).map_err(|problem: Problem| {
        D::Error::custom(format!("{} {}", problem.sentence, problem.fix.unwrap_or_default()))
    })
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// What is wrong, in which line, and what to do.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        text.parse().map_err(|error| ConfigError::In { path: path.to_owned(), error: Box::new(error) })
    }

    /// How the console is reached, with `listen` in place of the file's own.
    ///
    /// # Errors
    /// If passwords would cross a network unencrypted.
    pub fn site(&self, listen: SocketAddr) -> Result<Site, ConfigError> {
        if self.public_url.is_some() != self.proxy.is_some() {
            return Err(ConfigError::ProxyIncomplete);
        }
        if !self.speaks_https() && self.public_url.is_none() && !listen.ip().is_loopback() {
            return Err(ConfigError::PlainHttp { listen });
        }
        Ok(Site {
            https: self.speaks_https() || self.public_url.is_some(),
            public_url: self.public_url.clone(),
            proxy: self.proxy,
            names: Names::default().and(self.allowed_hosts.iter().cloned()),
            simulated: false,
            data_directory: Some(self.data_dir.display().to_string()),
        })
    }

    /// Whether the console itself speaks HTTPS; behind a proxy it need not.
    pub fn speaks_https(&self) -> bool {
        let usual = if self.public_url.is_some() { Protocol::Http } else { Protocol::Https };
        self.protocol.unwrap_or(usual) == Protocol::Https
    }

    /// Where a program on the console's own machine reaches it.
    pub fn own_url(&self) -> String {
        if let Some(url) = &self.public_url {
            return url.origin();
        }
        let scheme = if self.speaks_https() { "https" } else { "http" };
        let address = match self.listen.ip() {
            IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            address => address,
        };
        format!("{scheme}://{}", SocketAddr::new(address, self.listen.port()))
    }

    /// The file with the certificate that the console shows; none behind a proxy, which shows its own.
    pub fn certificate_file(&self) -> Option<PathBuf> {
        let is_own = self.speaks_https() && self.public_url.is_none();
        is_own.then(|| match &self.tls {
            Some(files) => files.certificate.clone(),
            None => server::own_certificate(&self.data_dir),
        })
    }

    /// How long sessions last.
    pub fn session_limits(&self) -> SessionLimits {
        SessionLimits {
            idle: Duration::from_mins(self.sessions.idle_minutes.into()),
            absolute: Duration::from_hours(self.sessions.absolute_hours.into()),
        }
    }

    /// The passphrase of the console's own ssh key, if there is one.
    ///
    /// # Errors
    /// A file that can't be read, or that others can read, too.
    pub fn key_passphrase(&self) -> Result<Option<Secret>, ConfigError> {
        key_passphrase::read(self.key_passphrase_file.as_deref())
    }

    /// The networks that hosts may be in which users name.
    pub fn allowed_networks(&self) -> AllowedNetworks {
        self.allowed_networks.clone().map_or(AllowedNetworks::Routed, AllowedNetworks::Listed)
    }

    /// What is run or called when a host is empty, and when all is home.
    ///
    /// # Errors
    /// A hook without what it needs, or with an address that would be reached unencrypted.
    pub fn hooks(&self) -> Result<Vec<Hook>, ConfigError> {
        hooks::checked(&self.hooks)
    }

    /// The hosts.
    ///
    /// # Errors
    /// A host with fields that contradict each other, or two hosts with the same name or address.
    pub fn hosts(&self) -> Result<Vec<HostConfig>, ConfigError> {
        hosts::checked(&self.hosts)
    }
}

impl std::str::FromStr for Config {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)?;
        config.hosts()?;
        config.hooks()?;
        if config.sessions.idle_minutes == 0 || config.sessions.absolute_hours == 0 {
            return Err(ConfigError::SessionsTooShort);
        }
        if let Some(name) = config.allowed_hosts.iter().find(|name| !is_name(name)) {
            return Err(ConfigError::NotAName(name.clone()));
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests;
