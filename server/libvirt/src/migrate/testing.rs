//! Plans for tests.

use engine::{Daemon, DiskCopy, HostConfig, MigrationPlan, Transport};
use model::{ControlFlow, Mode, VmId};

/// A plan without disks, to a host at 127.0.0.3.
pub(crate) fn plan(mode: Mode) -> MigrationPlan {
    let address: engine::Address = "127.0.0.3".parse().unwrap();
    let transport = Transport::Tcp { address: address.clone(), port: 16509, daemon: Daemon::Session };
    let destination = HostConfig {
        name: "beta".parse().unwrap(),
        transport: transport.clone(),
        peer_address: address,
        peer_transport: transport,
        bandwidth_mib_s: None,
        policy_defaults: model::PolicyDefaults::default(),
        shared_directories: Vec::new(),
        budget: model::HostBudget::default(),
    };
    MigrationPlan {
        vm: VmId(uuid::Uuid::nil()),
        destination,
        control_flow: ControlFlow::PeerToPeer,
        encrypted: false,
        rdma: false,
        mode,
        undefine_source: true,
        persist_destination: true,
        bandwidth_mib_s: Some(32),
        switchover_mib_s: None,
        throttle: None,
        post_copy: false,
        connections: None,
        compress: false,
        new_name: None,
        disks: Vec::new(),
        synchronous_writes: false,
        trust_shared_directories: false,
    }
}

/// Copies of these disks.
pub(crate) fn copied(targets: &[&str]) -> Vec<DiskCopy> {
    let copy =
        |target: &&str| DiskCopy { target: (*target).to_owned(), path: format!("/new/{target}.img"), is_block: false };
    targets.iter().map(copy).collect()
}
