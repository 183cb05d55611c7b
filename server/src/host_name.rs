//! This machine's name.

use std::fs;

/// This machine's name, perhaps with its domain, if it can stand in a certificate and in an address.
pub(crate) fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    name.trim().parse::<engine::Address>().ok().map(|name| name.to_string())
}
