//! What a simulated host says of its VMs to whom looks at them.

use model::{HostPool, HostResources, VmFacts, VmId};

use super::host::{CPUS, MEMORY, SimConnection};
use crate::hypervisor::{CpuTimes, HostError, HostErrorKind, Usage};

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

    /// Its memory is that of its VMs, and its pools are those that it was given.
    pub(super) fn has(&self) -> Result<HostResources, HostError> {
        let used = self.ask(|host| host.copies.values().map(|copy| copy.memory_bytes).sum::<u64>().min(MEMORY))?;
        let world = self.sim.world();
        let pools = world.storage.pools(&self.name).map(|pool| HostPool {
            name: pool.name.clone(),
            kind: pool.kind.clone(),
            state: if pool.active { "running" } else { "inactive" },
            path: pool.path.clone(),
            available_bytes: pool.available_bytes,
            ..HostPool::default()
        });
        Ok(HostResources {
            cpus: CPUS,
            memory_bytes: MEMORY,
            memory_free_bytes: MEMORY - used,
            pools: Some(pools.collect()),
            ..HostResources::default()
        })
    }

    /// A quarter of its CPUs is busy.
    pub(super) fn busy(&self) -> Result<CpuTimes, HostError> {
        let up = self.ask(|host| host.made.elapsed())?;
        let all_ns = u64::try_from(up.as_nanos()).unwrap_or(u64::MAX).saturating_mul(CPUS.into());
        Ok(CpuTimes { busy_ns: all_ns / 4, all_ns })
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
