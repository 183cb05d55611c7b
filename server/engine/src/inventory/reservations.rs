//! Memory that open evacuations have reserved for their VMs, on the hosts that these go to.

use std::collections::BTreeSet;

use model::{EvacuationId, HostName, MigrationId, VmId};

use super::Inventory;

/// Memory that is reserved for a VM, from the begin of its evacuation until it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reservation {
    pub(crate) vm: VmId,
    /// Where it goes.
    pub(crate) host: HostName,
    /// What it takes there, with what QEMU needs beside it.
    pub(crate) memory_bytes: u64,
    /// The migration that moves it there now; none while it waits.
    pub(crate) migration: Option<MigrationId>,
}

impl Inventory {
    /// What an evacuation has reserved from now on; nothing once it has ended.
    pub(crate) fn set_reservations(&mut self, evacuation: EvacuationId, now: Vec<Reservation>) {
        let before = match now.is_empty() {
            true => self.reservations.remove(&evacuation),
            false => self.reservations.insert(evacuation, now.clone()),
        };
        let before = before.unwrap_or_default();
        if before == now {
            return;
        }
        let hosts: BTreeSet<&HostName> = before.iter().chain(&now).map(|reserved| &reserved.host).collect();
        hosts.into_iter().for_each(|host| self.publish_host(host));
    }

    /// What evacuations have reserved, without this one.
    pub(crate) fn reservations(&self, but: Option<EvacuationId>) -> impl Iterator<Item = &Reservation> {
        self.reservations.iter().filter(move |(id, _)| Some(**id) != but).flat_map(|(_, reserved)| reserved)
    }

    /// What all evacuations have reserved on a host, in bytes.
    pub(crate) fn memory_reserved(&self, host: &HostName) -> u64 {
        self.reservations(None).filter(|reserved| reserved.host == *host).map(|reserved| reserved.memory_bytes).sum()
    }
}
