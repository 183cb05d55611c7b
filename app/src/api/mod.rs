//! Server functions: who is asking, then one call on the port. All of them are POST, so that the CSRF layer sees them.

pub mod account;
#[cfg(feature = "ssr")]
mod door;
mod failure;
pub mod migrations;
pub mod vms;

pub use failure::Failure;
