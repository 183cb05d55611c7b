//! What the API says of VMs and how it is told to be used, against a real demo.

#[path = "../support/mod.rs"]
mod support;

mod details;
mod host_details;
mod readme;
mod steering;
mod terminal;
mod vms;

use std::sync::LazyLock;

use support::{Demo, Shared};
use tokio::sync::Mutex;

/// The hosts alpha, beta and gamma on 127.0.64.2 to .4, and delta on .5, which is not registered.
static DEMO: Shared = LazyLock::new(|| Mutex::new(Demo::start(64)));
