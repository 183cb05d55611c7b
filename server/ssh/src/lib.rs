//! What the console itself knows of ssh: the hosts' keys (`known_hosts.rs`, `fingerprint.rs`), its own key (`console_key.rs`), and how that one gets
//! onto a host and away again (`install.rs`). Connections to libvirt are libvirt's own affair.

mod console_key;
mod fingerprint;
pub mod host_key;
mod install;
mod known_hosts;
mod session;

pub use console_key::{ConsoleKey, PublicKey};
pub use fingerprint::in_words_of_libssh;
pub use install::{install_key, remove_key};
pub use known_hosts::KnownHosts;
