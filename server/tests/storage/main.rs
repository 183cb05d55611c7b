//! Disks that are copied and disks that are shared, on real libvirt and QEMU. The judges are a guest that reads all it wrote, qemu-img
//! and virsh, never the console.

#[path = "../lab/mod.rs"]
mod lab;
#[path = "../support/mod.rs"]
mod support;

mod blank;
mod extras;
mod full;
mod guest;
mod leftovers;
mod live;
mod netfs;
mod nfs;
mod offline;
mod privileged;
mod vm;

use std::sync::LazyLock;

use support::{Demo, Shared};
use tokio::sync::Mutex;

static DEMO: Shared = LazyLock::new(|| Mutex::new(Demo::start(38)));
