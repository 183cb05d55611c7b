//! Server functions: who is asking, then one call on the port. All of them are POST, so that the CSRF layer sees them.

pub mod account;
#[cfg(feature = "ssr")]
mod door;
mod failure;
mod json;
mod load;
pub mod migrations;
mod post;
pub mod vms;

#[cfg(feature = "ssr")]
pub use door::StatusOf;
pub use failure::Failure;
pub use json::Json;
pub(crate) use load::{Answer, call};
pub(crate) use post::Post;
