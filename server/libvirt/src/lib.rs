//! The engine's [`Hypervisor`](engine::Hypervisor) over libvirt.
//!
//! Start reading at `hypervisor/`, which implements the engine's traits, call by call. What a call does is in the folder of its
//! subject; all of them use `connection/`, `ffi/` and `xml/`.
//!
//! libvirt's calls block, some for hours, and can't be interrupted. So every connection has threads of its own
//! (`connection/workers.rs`), the time limits are kept on the async side, and a thread that hangs is left alone. libvirt's events
//! arrive on one more thread (`connection/event_loop.rs`) and go straight into a channel.
//!
//! The `virt` crate is used where it is sound. Where it is not, or lacks the call, this crate calls C itself; each `unsafe` block
//! says why it is sound.

mod connection;
mod definition;
mod domain;
mod error;
mod exit;
mod ffi;
mod hypervisor;
mod migrate;
mod resolver;
mod storage;
mod survey;
mod terminal;
mod translate;
mod xml;

pub use connection::SshFiles;
pub use exit::exit;
pub use hypervisor::LibvirtHypervisor;
pub use resolver::SystemResolver;
