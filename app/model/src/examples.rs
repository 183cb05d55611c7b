//! The ordinary host, VM and migration that tests begin with, for them to change what they are about.

use uuid::Uuid;

use crate::{
    Choice, Code, ConnectionState, Ending, Evacuation, EvacuationId, EvacuationItem, EvacuationState, Host, HostName,
    HostOrigin, ItemState, Maintenance, MaintenanceStage, Migration, MigrationId, MigrationOptions, Mode, Phase, Plan,
    PlanId, PlanRequest, PlannedMove, PlannedStay, Policy, PolicyDefaults, PolicyPrediction, Prediction, Problem,
    Progress, Subject, Vm, VmDisk, VmFacts, VmId, VmInterface, VmState, Why,
};

fn named(name: &str) -> HostName {
    name.parse().expect("a test's host name")
}

/// A connected host with half its memory free.
pub fn host(name: &str) -> Host {
    Host {
        name: named(name),
        address: "192.0.2.1".into(),
        origin: HostOrigin::Configured,
        connection: ConnectionState::Connected,
        latency_ms: None,
        cpu_model: None,
        cpus: 2,
        memory_bytes: 1 << 30,
        memory_free_bytes: 1 << 29,
        memory_reserved_bytes: 0,
        vms: 0,
        vms_active: 0,
        libvirt_version: None,
        hypervisor_version: None,
        bandwidth_mib_s: None,
        policy_defaults: PolicyDefaults::default(),
        maintenance: None,
    }
}

/// A running VM with 64 MiB of memory.
pub fn vm(id: u128, name: &str, host: &str) -> Vm {
    Vm {
        id: VmId(Uuid::from_u128(id)),
        name: name.into(),
        title: None,
        tags: Vec::new(),
        host: named(host),
        state: VmState::Running,
        vcpus: 1,
        vcpus_max: 1,
        memory_bytes: 64 << 20,
        memory_now_bytes: 64 << 20,
        persistent: true,
        other_copies: Vec::new(),
        twins: Vec::new(),
        migration: None,
        policy_defaults: PolicyDefaults::default(),
    }
}

/// What the host of a VM says of it: it has a disk and an interface.
pub fn facts(vm: &Vm) -> VmFacts {
    let disk = VmDisk {
        target: "vda".into(),
        device: "disk".into(),
        source: Some("/srv/images/vda.qcow2".into()),
        format: "qcow2".into(),
        capacity_bytes: Some(10 << 30),
        allocation_bytes: Some(1 << 30),
        ..VmDisk::default()
    };
    let interface = VmInterface {
        mac: Some("52:54:00:00:00:01".into()),
        kind: "network".into(),
        source: Some("default".into()),
        link_up: true,
        ..VmInterface::default()
    };
    VmFacts {
        id: vm.id,
        name: vm.name.clone(),
        state: vm.state,
        title: vm.title.clone(),
        description: None,
        tags: vm.tags.clone(),
        persistent: vm.persistent,
        autostart: Some(false),
        vcpus: vm.vcpus,
        vcpus_max: vm.vcpus_max,
        memory_now_bytes: vm.memory_now_bytes,
        memory_bytes: vm.memory_bytes,
        cpu: None,
        arch: "x86_64".into(),
        machine: "pc-q35-10.0".into(),
        virt_type: "kvm".into(),
        firmware: None,
        disks: vec![disk],
        interfaces: vec![interface],
        bound_to_host: Vec::new(),
        snapshots: Some(0),
        agent_connected: false,
        incomplete: false,
    }
}

/// A migration of `vm(1, "web", "alpha")` to beta, just asked for.
pub fn migration(id: u128) -> Migration {
    let Vm { id: vm, name: vm_name, host: source, .. } = vm(1, "web", "alpha");
    Migration {
        id: MigrationId(Uuid::from_u128(id)),
        vm,
        vm_name,
        source,
        destination: named("beta"),
        mode: Mode::Live,
        control_flow: None,
        encrypted: false,
        unregistered: None,
        options: MigrationOptions::default(),
        disks: Vec::new(),
        requested_by: "admin".into(),
        phase: Phase::Queued,
        cancel_requested: false,
        created_at_ms: 0,
        ended_at_ms: None,
        progress: Progress::default(),
        outcome: None,
        problem: None,
        step: None,
        leftovers: Vec::new(),
        autostart: None,
        policy: Policy::default(),
        post_copy: false,
        slows_guest: false,
        connections: None,
        switchover_mib_s: None,
        waited_ms: 0,
        pause_limit_ms: None,
        acts: Vec::new(),
        prediction: None,
        evacuation: None,
        asleep: false,
    }
}

/// A prediction that says the same of all policies.
pub fn prediction(ending: Ending) -> Prediction {
    Prediction {
        throughput_bytes_s: 100 << 20,
        throughput_measured: false,
        dirty_bytes_s: None,
        slows_by_percent: None,
        ending,
        policies: [Policy::Gentle, Policy::Balanced, Policy::Certain].map(|policy| PolicyPrediction { policy, ending }),
    }
}

/// Between these times, in ms, with a pause of 300 ms at most and most likely, and without doing anything to the guest.
pub fn after(low_ms: u64, high_ms: u64) -> Ending {
    let likely_ms = low_ms.midpoint(high_ms);
    let (pause_ms, likely_pause_ms, guest_percent, post_copy) = (300, 300, 100, false);
    Ending::After { low_ms, likely_ms, high_ms, pause_ms, likely_pause_ms, guest_percent, post_copy }
}

/// An evacuation of alpha that has just begun: its VMs go to beta.
pub fn evacuation(id: u128, vms: &[&str]) -> Evacuation {
    let item = |(number, name): (usize, &&str)| EvacuationItem {
        vm: VmId(Uuid::from_u128(100 * id + number as u128)),
        vm_name: (*name).into(),
        source: named("alpha"),
        destination: Some(named("beta")),
        via: None,
        halted_on: None,
        mode: Mode::Live,
        policy: Policy::Balanced,
        memory_bytes: 64 << 20,
        bytes: 64 << 20,
        expected_ms: 2_000,
        state: ItemState::Waiting,
        waits_for: None,
        tried: Vec::new(),
        not_before_ms: None,
        appeared: false,
    };
    Evacuation {
        id: EvacuationId(Uuid::from_u128(id)),
        request: PlanRequest::plain(Subject::Hosts(vec![named("alpha")])),
        requested_by: "ada".into(),
        created_at_ms: 1_700_000_000_000,
        ended_at_ms: None,
        state: EvacuationState::Running,
        planned_ms: 2_000,
        bound_ms: 1_900,
        fraction: 0.0,
        left_ms: None,
        items: vms.iter().enumerate().map(item).collect(),
    }
}

/// A host that an evacuation empties.
pub fn maintenance(evacuation: u128) -> Maintenance {
    Maintenance {
        stage: MaintenanceStage::Draining,
        since_ms: 1_700_000_000_000,
        reason: "kernel update".into(),
        by: "ada".into(),
        evacuation: EvacuationId(Uuid::from_u128(evacuation)),
        home: None,
        told: Vec::new(),
    }
}

/// A plan for this: web moves from alpha to beta, and db stays.
pub fn plan(request: PlanRequest) -> Plan {
    let moved = PlannedMove {
        vm: VmId(Uuid::from_u128(1)),
        vm_name: "web".into(),
        source: named("alpha"),
        destination: named("beta"),
        via: None,
        mode: Mode::Live,
        policy: Policy::Balanced,
        memory_bytes: 64 << 20,
        bytes: 64 << 20,
        at_ms: [0, 2_000],
        prediction: None,
        why: Why::OnlyOne,
        findings: Vec::new(),
    };
    let stays = PlannedStay {
        vm: VmId(Uuid::from_u128(2)),
        vm_name: "db".into(),
        host: named("alpha"),
        is_active: true,
        problem: Some(
            Problem::new(Code::Blocked, "No host can take db.").with_fix("Leave it, or let it be shut down."),
        ),
        choice: None,
        choices: vec![Choice::Leave, Choice::ShutDown],
    };
    Plan {
        id: PlanId(Uuid::from_u128(9)),
        request,
        made_at_ms: 1_700_000_000_000,
        moves: vec![moved],
        stays: vec![stays],
        shortage: None,
        likely_ms: 2_000,
        between_ms: [1_500, 3_000],
        bound_ms: 1_900,
    }
}
