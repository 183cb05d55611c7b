//! `vmferry.toml`.
//!
//! Every field is checked when the file is read, so that URIs can be built of it safely. An unknown key is refused: it is a typing
//! error, and the default would count instead of what the admin meant.

mod key_passphrase;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use engine::HostConfig;
use model::{HostSettings, Problem, Secret};
use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    auth::SessionLimits,
    http::{PublicUrl, Site},
};

/// Why the configuration can't be used: where, why, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

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
    /// The certificate; without it the console makes one of its own.
    pub tls: Option<Certificate>,
    /// How long sessions last.
    #[serde(default)]
    sessions: Sessions,
    /// Whether hosts may be added at run time that are reached by plain TCP, which can be read and changed on the network.
    #[serde(default)]
    pub allow_tcp: bool,
    /// A file with the passphrase that the console's own ssh key is encrypted with; systemd's credential `key-passphrase` counts, too.
    key_passphrase_file: Option<PathBuf>,
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
            .map_err(|error| ConfigError(format!("{} can't be read: {error}", path.display())))?;
        text.parse().map_err(|ConfigError(error)| ConfigError(format!("{}: {error}", path.display())))
    }

    /// How the console is reached, with `listen` in place of the file's own.
    ///
    /// # Errors
    /// If passwords would cross a network unencrypted.
    pub fn site(&self, listen: SocketAddr) -> Result<Site, ConfigError> {
        if self.public_url.is_some() != self.proxy.is_some() {
            return Err(ConfigError(
                "public_url and proxy belong together: give the address that people use, and that of the proxy before the console.".into(),
            ));
        }
        if !self.speaks_https() && self.public_url.is_none() && !listen.ip().is_loopback() {
            return Err(ConfigError(format!(
                "The console would speak plain HTTP on {listen}: passwords would cross the network in the clear, and browsers \
                 would not keep the login, whose cookie is for HTTPS only. Leave out protocol = \"http\" (the console makes a \
                 certificate of its own), listen on 127.0.0.1, or put a proxy before it and name it with public_url and proxy."
            )));
        }
        Ok(Site {
            https: self.speaks_https() || self.public_url.is_some(),
            public_url: self.public_url.clone(),
            proxy: self.proxy,
        })
    }

    /// Whether the console itself speaks HTTPS; behind a proxy it need not.
    pub fn speaks_https(&self) -> bool {
        let usual = if self.public_url.is_some() { Protocol::Http } else { Protocol::Https };
        self.protocol.unwrap_or(usual) == Protocol::Https
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

    /// The hosts.
    ///
    /// # Errors
    /// A host with fields that contradict each other, or two hosts with the same name or address.
    pub fn hosts(&self) -> Result<Vec<HostConfig>, ConfigError> {
        let mut names = BTreeSet::new();
        for host in &self.hosts {
            if !names.insert(&host.name) {
                return Err(ConfigError(format!("Two hosts are called {}: give each a name of its own.", host.name)));
            }
        }
        let checked = |settings| {
            HostConfig::checked(settings).map_err(|Problem { sentence, fix, .. }| {
                ConfigError([Some(sentence), fix].into_iter().flatten().collect::<Vec<_>>().join(" "))
            })
        };
        let hosts: Vec<HostConfig> = self.hosts.iter().map(checked).collect::<Result<_, _>>()?;
        // A destination may be named by its address, so that an address can belong to one host only, at any port.
        let mut owners = BTreeMap::new();
        for host in &hosts {
            for address in [host.transport.address(), host.peer_address.to_string()] {
                match owners.insert(address.clone(), &host.name) {
                    Some(other) if *other != host.name => {
                        return Err(ConfigError(format!(
                            "The hosts {other} and {} are both at {address}: give each an address of its own.",
                            host.name
                        )));
                    }
                    _ => {}
                }
            }
        }
        Ok(hosts)
    }
}

impl std::str::FromStr for Config {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        // toml's error has the line, its text, and the known names.
        let config: Self = toml::from_str(text).map_err(|error| ConfigError(error.to_string()))?;
        config.hosts()?;
        if config.sessions.idle_minutes == 0 || config.sessions.absolute_hours == 0 {
            return Err(ConfigError(
                "Sessions have to last at least a minute: raise idle_minutes or absolute_hours.".into(),
            ));
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use engine::{Address, Ssh, SshLogin, Transport};

    use super::*;

    const HOST: &str = "[[hosts]]\nname = \"alpha\"\n";

    fn hosts(text: &str) -> Result<Vec<HostConfig>, String> {
        format!("{HOST}{text}").parse::<Config>().and_then(|config| config.hosts()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_is_a_configuration() {
        let config: Config = "".parse().unwrap();
        assert!(config.speaks_https());
        assert_eq!(config.session_limits(), SessionLimits::default());
        let address: Address = "192.0.2.7".parse().unwrap();
        let host = hosts("transport = \"tls\"\naddress = \"192.0.2.7\"").unwrap().remove(0);
        assert_eq!(host.transport, Transport::Tls { address: address.clone(), port: 16514 });
        assert_eq!((host.peer_transport, host.peer_address), (host.transport, address));
    }

    #[test]
    fn peers_may_use_another_transport() {
        let host = hosts(
            "transport = \"local\"\npeer_address = \"10.0.0.7\"\npeer_transport = \"ssh\"\npeer_user = \"root\"\nbandwidth_mib_s = 100",
        )
        .unwrap()
        .remove(0);
        assert_eq!(host.transport, Transport::Local);
        let (address, user) = ("10.0.0.7".parse().unwrap(), "root".parse().unwrap());
        let ssh = Ssh { address, port: 22, user, login: SshLogin::Program, fingerprint: None };
        assert_eq!(host.peer_transport, Transport::Ssh(ssh));
        assert_eq!(host.bandwidth_mib_s, Some(100));
    }

    #[test]
    fn shared_directories_are_paths_that_can_be_compared() {
        let shared = |directories: &str| {
            hosts(&format!("transport = \"tls\"\naddress = \"a\"\nshared_directories = [{directories}]"))
        };
        assert_eq!(shared("").unwrap()[0].shared_directories, [""; 0]);
        let expected = ["/srv/vm images", "/mnt/..hidden"];
        assert_eq!(shared("\"/srv/vm images\", \"/mnt/..hidden\"").unwrap()[0].shared_directories, expected);
        for wrong in [
            "/",
            "",
            "//",
            "srv",
            "/srv/",
            "/srv//images",
            "/srv/./images",
            "/srv/../etc",
            "/..",
            "/srv\\n",
            "/\\u0000",
        ] {
            let error = shared(&format!("\"/srv\", \"{wrong}\"")).unwrap_err();
            assert!(error.contains("Host alpha: shared_directories has"), "{wrong}: {error}");
        }
    }

    #[test]
    fn errors_say_where_and_what() {
        let cases = [
            ("transport = \"tls\"\naddress = \"192.0.2.7\"\nadress = \"x\"", "adress"),
            ("transport = \"tls\"\naddress = \"a b\"", "Host alpha: address"),
            ("transport = \"carrier pigeon\"", "carrier pigeon"),
            ("transport = \"tls\"", "address is missing"),
            ("transport = \"ssh\"\naddress = \"a\"", "user is missing"),
            ("transport = \"tls\"\naddress = \"a\"\nuser = \"root\"", "user is for"),
            ("transport = \"tls\"\naddress = \"a\"\ndaemon = \"session\"", "daemon is for"),
            ("transport = \"local\"", "peer_transport is missing"),
            ("transport = \"tls\"\naddress = \"a\"\nbandwidth_mib_s = 0", "no limit"),
            ("transport = \"tls\"\naddress = \"a\"\nport = 0", "port 0"),
            (
                "transport = \"tls\"\naddress = \"a\"\n[[hosts]]\nname = \"alpha\"\ntransport = \"tls\"\naddress = \"b\"",
                "Two hosts",
            ),
            (
                "transport = \"tls\"\naddress = \"a\"\n[[hosts]]\nname = \"beta\"\ntransport = \"tls\"\naddress = \"a\"\nport = 7",
                "alpha and beta",
            ),
            (
                "transport = \"tls\"\naddress = \"a\"\n[[hosts]]\nname = \"beta\"\ntransport = \"tls\"\naddress = \"b\"\npeer_address = \"a\"",
                "alpha and beta",
            ),
        ];
        for (text, expected) in cases {
            let error = hosts(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        let site = |text: &str, listen: &str| text.parse::<Config>().unwrap().site(listen.parse().unwrap());
        assert!(!site("protocol = \"http\"", "127.0.0.1:80").unwrap().https);
        assert!(!site("protocol = \"http\"", "[::1]:80").unwrap().https);
        assert!(site("", "0.0.0.0:8443").unwrap().https);
        let refused = site("protocol = \"http\"", "192.0.2.1:80").unwrap_err().to_string();
        assert!(refused.contains("cookie"), "{refused}");
        let proxied = "public_url = \"https://a.example\"\nproxy = \"192.0.2.9\"";
        assert!(site(proxied, "192.0.2.1:80").unwrap().https);
        assert!(!proxied.parse::<Config>().unwrap().speaks_https());
        assert!(site("public_url = \"https://a.example\"", "127.0.0.1:80").is_err());
        assert!("public_url = \"http://a.example\"".parse::<Config>().is_err());
    }
}
