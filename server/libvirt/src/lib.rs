//! The engine's [`Hypervisor`](engine::Hypervisor) over libvirt.
//!
//! libvirt's calls block, some for hours, and can't be interrupted. So every connection has threads of its own
//! (`workers.rs`), the time limits are kept on the async side, and a thread that hangs is left alone. What libvirt tells unasked
//! arrives on one more thread (`event_loop.rs`) and goes straight into a channel.
//!
//! A host has three kinds of connections, because a libvirt daemon works on five calls of one connection at a time and the call
//! that migrates takes one of them until the migration is over: one for inventory, actions and events; one to watch and abort
//! migrations; and one more for each migration.
//!
//! The `virt` crate is used where it is sound. Where it is not, or lacks the call, this crate talks to C itself; each `unsafe`
//! says why it may.

mod activity;
mod auth;
mod connection;
mod contents;
mod definition;
mod domain;
mod error;
mod event_loop;
mod events;
mod exit;
mod facts;
mod hypervisor;
mod job;
mod link;
mod login;
mod media;
mod migrate;
mod open;
mod rewrite;
mod space;
mod splice;
mod ssh_config;
mod stats;
mod streams;
mod survey;
mod translate;
mod typed_params;
mod uri;
mod users;
mod volumes;
mod workers;
mod xml;

pub use exit::exit;
pub use hypervisor::{LibvirtHypervisor, SshFiles};
