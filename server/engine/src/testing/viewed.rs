//! What a simulated host says of its VMs to whom looks at them.

use model::{VmFacts, VmId};

use super::host::SimConnection;
use crate::hypervisor::{HostError, HostErrorKind, Usage};

impl SimConnection {
    /// An agent is connected in each guest that runs, and never answers.
    pub(super) fn described(&self, vm: VmId) -> Result<VmFacts, HostError> {
        let unknown = || HostError::new(HostErrorKind::UnknownVm, "Domain not found (simulated)");
        let (copy, autostart) = self.ask(|host| (host.copy(vm), host.autostarted.contains(&vm)))?;
        let copy = copy.ok_or_else(unknown)?;
        Ok(VmFacts {
            id: vm,
            name: copy.name,
            state: copy.state,
            title: copy.title,
            description: None,
            tags: copy.tags,
            persistent: copy.persistent,
            autostart: Some(autostart),
            vcpus: copy.vcpus,
            vcpus_max: copy.vcpus_max,
            memory_now_bytes: copy.memory_now_bytes,
            memory_bytes: copy.memory_bytes,
            cpu: None,
            arch: "x86_64".to_owned(),
            machine: "simulated".to_owned(),
            virt_type: "simulated".to_owned(),
            firmware: None,
            disks: Vec::new(),
            interfaces: Vec::new(),
            bound_to_host: Vec::new(),
            snapshots: Some(0),
            agent_connected: copy.state.may_write(),
            incomplete: copy.incoming,
        })
    }

    /// Each guest that runs keeps one CPU busy.
    pub(super) fn used(&self) -> Result<Vec<Usage>, HostError> {
        self.ask(|host| {
            let active = host.copies.values().filter(|copy| copy.state.is_active() && !copy.incoming);
            let used = active.map(|copy| Usage {
                vm: copy.vm,
                cpu_time_ns: host.seen(copy).cpu_time_ns,
                memory_bytes: Some(copy.memory_bytes),
                disk_bytes: Some(0),
                network_bytes: None,
            });
            used.collect()
        })
    }
}
