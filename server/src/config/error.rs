//! Why the configuration can't be used, and what to do.

use std::{io, net::SocketAddr, path::PathBuf};

use engine::InvalidInput;
use model::HostName;

/// Why the configuration can't be used: where, why, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{} can't be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in the file is wrong.
    #[error("{}: {error}", path.display())]
    In {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        error: Box<ConfigError>,
    },
    /// Not TOML, or not the fields that there are: toml's error has the line, its text and the known names.
    #[error("{0}")]
    Syntax(#[from] toml::de::Error),
    /// Only one of two fields that need each other.
    #[error(
        "public_url and proxy belong together: give the address that browsers use, and that of the proxy in front of the console."
    )]
    ProxyIncomplete,
    /// Passwords would cross a network unencrypted.
    #[error(
        "The console would speak plain HTTP on {listen}: passwords would cross the network unencrypted, and browsers would not keep \
         the login, whose cookie is for HTTPS only. Leave out protocol = \"http\" (the console makes a certificate of its own), \
         listen on 127.0.0.1, or put a proxy in front of it and name it with public_url and proxy."
    )]
    PlainHttp {
        /// Where the console would listen.
        listen: SocketAddr,
    },
    /// Sessions would end as they begin.
    #[error("Sessions have to last at least a minute: raise idle_minutes or absolute_hours.")]
    SessionsTooShort,
    /// Not the name of a host.
    #[error("allowed_hosts has {0:?}, which is no host's name: leave out https:// and the port.")]
    NotAName(String),
    /// The fields of a host contradict each other.
    #[error("{}", [Some(.0.sentence.as_str()), .0.fix.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" "))]
    Host(InvalidInput),
    /// A hook that can't be called.
    #[error("One of the [[hooks]]: {0}.")]
    Hook(String),
    /// Two hosts have one name.
    #[error("Two hosts are called {0}: give each a name of its own.")]
    SameName(HostName),
    /// Two hosts have one address.
    #[error("The hosts {first} and {second} are both at {address}: give each an address of its own.")]
    SameAddress {
        /// One of them.
        first: HostName,
        /// The other.
        second: HostName,
        /// Their address.
        address: String,
    },
    /// The file with the passphrase can't be read.
    #[error("The passphrase of the console's key can't be read from {}: {source}.", file.display())]
    PassphraseUnreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Other users can read the passphrase.
    #[error("{} has the passphrase of the console's key, and other users can read it: run chmod 600 on it.", file.display())]
    PassphraseExposed {
        /// The file.
        file: PathBuf,
    },
    /// There is no passphrase in the file.
    #[error("{} is empty: write the passphrase of the console's key into it.", file.display())]
    PassphraseEmpty {
        /// The file.
        file: PathBuf,
    },
}
