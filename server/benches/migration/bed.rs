//! Two privileged hosts, a console that knows them, and the guest that goes from one to the other.

use std::{net::IpAddr, path::Path, process::Command, sync::Arc, time::Duration};

use engine::{AllowedNetworks, HostConnection, Hypervisor, MigrationPlan, Networks};
use libvirt::{LibvirtHypervisor, SshFiles, SystemResolver};
use model::{ControlFlow, Mode, VmState};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use crate::{
    guest::{Kind, NAME, id},
    heartbeat::Heartbeats,
    lab::{Lab, LabHost, SANDBOX_ADDRESS, Sandbox},
    support::{Api, LIMIT, Served},
};

/// What the link carries, in MiB/s.
pub(crate) const LIMIT_MIB_S: u32 = 32;
/// How much may go out at once, and how long a packet may wait.
const BURST: &str = "256kb";
const LONGEST_WAIT: &str = "20ms";

/// All that moves need.
pub(crate) struct Bed {
    pub(crate) api: Api,
    pub(crate) heartbeats: Heartbeats,
    lab: Lab,
    connections: [Arc<dyn HostConnection>; 2],
    /// Which of both hosts the guest is on.
    at: usize,
    sandbox: Sandbox,
    _served: Served,
}

impl Bed {
    /// Makes it.
    pub(crate) async fn make(sandbox: Sandbox) -> Self {
        let lab = sandbox.start().await;
        let networks = Arc::new(Networks::new(AllowedNetworks::Any, &[], SystemResolver));
        let hypervisor =
            LibvirtHypervisor::new(SshFiles::below(&sandbox.shared()), networks).expect("libvirt can be used");
        let connect = async |host: &LabHost| {
            hypervisor.connect(&host.config(), host.name, mpsc::unbounded_channel().0).await.expect("it answers")
        };
        let connections = [connect(&lab.red).await, connect(&lab.blue).await];
        let shared = sandbox.shared();
        let hosts: String = [&lab.red, &lab.blue].map(|host| console_host(host, &shared)).concat();
        let served = Served::prepared(&shared, &hosts, |command| {
            command.env("RUST_LOG", "warn");
        });
        let api = served.login().await;
        let mut stream = api.stream().await;
        for name in ["red", "blue"] {
            stream.until_host(name, model::Host::is_connected).await;
        }
        let heartbeats = Heartbeats::receive();
        Self { api, heartbeats, lab, connections, at: 0, sandbox, _served: served }
    }

    fn hosts(&self) -> [&LabHost; 2] {
        let hosts = [&self.lab.red, &self.lab.blue];
        [hosts[self.at], hosts[1 - self.at]]
    }

    /// The connection to the host that the guest is on.
    pub(crate) fn here(&self) -> &Arc<dyn HostConnection> {
        &self.connections[self.at]
    }

    /// The name of the other host.
    pub(crate) fn destination(&self) -> &'static str {
        self.hosts()[1].name
    }

    /// The address that the guest's heartbeats come from once it is on the other host.
    pub(crate) fn destination_address(&self) -> IpAddr {
        self.hosts()[1].address.parse().expect("it is an address")
    }

    /// Starts a guest of this kind, in place of the one there was; returns when it has filled its memory and the console knows it.
    pub(crate) async fn start(&mut self, kind: &Kind) {
        for host in [&self.lab.red, &self.lab.blue] {
            // There may be none.
            let _ = host.try_virsh(&["destroy", NAME]);
        }
        let definition = kind.write(&self.sandbox.shared(), SANDBOX_ADDRESS, self.heartbeats.port());
        self.heartbeats.clear();
        self.hosts()[0].virsh(&["create", &definition.to_string_lossy()]);
        let here = self.hosts()[0].address.parse().expect("it is an address");
        self.heartbeats.until_from(here).await;
        self.console_knows().await;
    }

    /// Waits until the console has seen the guest run where it is.
    pub(crate) async fn console_knows(&self) {
        let here = self.hosts()[0].name;
        let mut stream = self.api.stream().await;
        stream.until_vm(NAME, |vm| vm.host.as_str() == here && vm.state == VmState::Running).await;
    }

    /// Waits until a move has left nothing behind, and finds out where the guest is; whether it is at the other host now.
    pub(crate) async fn settle(&mut self) -> bool {
        let runs = |host: &LabHost| {
            let output = host.try_virsh(&["domstate", NAME]);
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let settle = async {
            loop {
                let states = self.hosts().map(runs);
                match [states[0].as_deref(), states[1].as_deref()] {
                    [Some("running"), None] => return false,
                    [None, Some("running")] => return true,
                    _ => sleep(Duration::from_millis(50)).await,
                }
            }
        };
        let has_moved = timeout(LIMIT, settle).await.expect("exactly one copy runs");
        if has_moved {
            self.at = 1 - self.at;
        }
        self.console_knows().await;
        has_moved
    }

    /// Limits what each host receives. Heartbeats are not delayed: they go to the console's side.
    pub(crate) fn limit_wire(&self) {
        let rate = format!("{}mbit", u64::from(LIMIT_MIB_S) * (1 << 20) * 8 / 1_000_000);
        for host in [&self.lab.red, &self.lab.blue] {
            // The bridge's ports are named after the hosts (host.sh).
            let arguments = ["qdisc", "add", "dev", host.name, "root", "tbf", "rate", &rate];
            let status = Command::new("tc").args(arguments).args(["burst", BURST, "latency", LONGEST_WAIT]).status();
            assert!(status.expect("tc is installed (package iproute2)").success(), "the network can't be limited");
        }
    }

    /// The plan that all moves share, with what the console asks libvirt for. None is without a limit of libvirt's own.
    pub(crate) fn plan(&self, bandwidth_mib_s: Option<u32>) -> MigrationPlan {
        MigrationPlan {
            vm: id(),
            destination: self.hosts()[1].config(),
            control_flow: ControlFlow::PeerToPeer,
            encrypted: false,
            rdma: false,
            mode: Mode::Live,
            undefine_source: false,
            persist_destination: false,
            bandwidth_mib_s,
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

    /// `virsh migrate --live --p2p` to the other host.
    pub(crate) fn migrate_by_virsh(&self) {
        let [here, there] = self.hosts();
        here.virsh(&["migrate", "--live", "--p2p", NAME, &there.uri(), &format!("tcp://{}", there.address)]);
    }
}

/// A host in the console's configuration.
fn console_host(LabHost { name, address, .. }: &LabHost, shared: &Path) -> String {
    let shared = shared.display();
    format!(
        "[[hosts]]\nname = \"{name}\"\ntransport = \"tcp\"\naddress = \"{address}\"\ndaemon = \"system\"\n\
         shared_directories = [\"{shared}\"]\n"
    )
}
