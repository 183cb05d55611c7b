//! The port: everything a person or program can ask the console for.
//!
//! Server functions, REST, Kimchi's API, the WebSocket and the command line are doors, and call these traits; `server/src/console`
//! implements them with the engine, the store and auth. Checks stand in the implementation, never in a door. Every method takes the
//! [`Principal`] who asks.

mod account;
mod evacuations;
mod hosts;
mod migrations;
mod principal;
mod selections;
mod terminals;
mod updates;
mod vms;

use std::sync::Arc;

pub use account::Account;
pub use evacuations::Evacuations;
pub use hosts::Hosts;
pub use migrations::{DestinationsRequest, Migrations};
pub use principal::Principal;
pub use selections::Selections;
pub use terminals::{Terminal, Terminals};
pub use updates::Updates;
pub use vms::Vms;

/// The whole port.
pub trait Console: Vms + Selections + Terminals + Migrations + Evacuations + Hosts + Updates + Account {}

impl<T: Vms + Selections + Terminals + Migrations + Evacuations + Hosts + Updates + Account> Console for T {}

/// The port as it is handed to every door.
pub type SharedConsole = Arc<dyn Console>;
