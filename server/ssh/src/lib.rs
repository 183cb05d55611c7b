//! The console's own use of ssh: the hosts' keys (`known_hosts.rs`, `host_key.rs`, `fingerprint.rs`), the console's key
//! (`console_key.rs`), and adding it to a host and removing it (`install.rs`, over `session.rs`). Connections to libvirt are made by
//! libvirt.
//!
//! Errors are enums (`error.rs`); their sentences for people are in `problem.rs`.

mod console_key;
mod error;
mod fingerprint;
mod host_key;
mod install;
mod known_hosts;
mod problem;
mod session;

pub use console_key::{ConsoleKey, PublicKey};
pub use error::{CommandFailure, ConsoleKeyError, HostKeyError, KnownHostsError, SshError};
pub use fingerprint::fingerprint_in_libssh_text;
pub use install::{install_key, remove_key};
pub use known_hosts::KnownHosts;
