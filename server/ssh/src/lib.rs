//! What the console itself knows of ssh: the hosts' keys (`known_hosts.rs`, `fingerprint.rs`), its own key (`console_key.rs`), and how that one gets
//! onto a host and away again (`install.rs`). Connections to libvirt are libvirt's own affair.

mod fingerprint;
mod known_hosts;

pub use fingerprint::in_words_of_libssh;
pub use known_hosts::KnownHosts;
