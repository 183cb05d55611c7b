//! Three privileged hosts with limited links, a console that knows them, and the VMs on the first of them.

use std::{path::PathBuf, process::Command, sync::Arc};

use engine::{AllowedNetworks, HostConnection, Hypervisor, Networks};
use libvirt::{LibvirtHypervisor, SshFiles, SystemResolver};
use model::VmState;
use tokio::sync::mpsc;

use crate::{
    guests::{self, Guest},
    lab::{LabHost, Sandbox},
    options::Options,
    support::{Api, Served},
};

/// How much may go out at once, and how long a packet may wait.
const BURST: &str = "256kb";
const LONGEST_WAIT: &str = "20ms";
const MIB: u64 = 1 << 20;

/// All that is needed.
pub(crate) struct Bed {
    pub(crate) api: Api,
    pub(crate) guests: Vec<Guest>,
    /// The host that is emptied, then the others.
    pub(crate) hosts: [LabHost; 3],
    pub(crate) connections: [Arc<dyn HostConnection>; 3],
    shared: PathBuf,
    _sandbox: Sandbox,
    _served: Served,
}

impl Bed {
    /// Makes it.
    pub(crate) async fn make(sandbox: Sandbox, options: &Options) -> Self {
        let lab = sandbox.start().await;
        let hosts = [lab.red, lab.blue, sandbox.start_third().await];
        limit(&hosts, options);
        let networks = Arc::new(Networks::new(AllowedNetworks::Any, &[], SystemResolver));
        let hypervisor =
            LibvirtHypervisor::new(SshFiles::below(&sandbox.shared()), networks).expect("libvirt can be used");
        let connect = async |host: &LabHost| {
            hypervisor.connect(&host.config(), host.name, mpsc::unbounded_channel().0).await.expect("it answers")
        };
        let connections = [connect(&hosts[0]).await, connect(&hosts[1]).await, connect(&hosts[2]).await];
        let shared = sandbox.shared();
        let config: String =
            hosts.iter().map(|host| console_host(host, options, &shared.display().to_string())).collect();
        let served = Served::prepared(&shared, &config, |command| {
            command.env("RUST_LOG", "warn");
        });
        let api = served.login().await;
        let mut stream = api.stream().await;
        for host in &hosts {
            stream.until_host(host.name, model::Host::is_connected).await;
        }
        Self { api, guests: guests::all(), hosts, connections, shared, _sandbox: sandbox, _served: served }
    }

    /// Starts all VMs anew on the first host; returns when they have filled their memory and the console knows them.
    pub(crate) async fn start_guests(&self) {
        for guest in &self.guests {
            for host in &self.hosts {
                // It is on one of them, or on none.
                let _ = host.try_virsh(&["destroy", &guest.name]);
            }
        }
        for guest in &self.guests {
            self.hosts[0].virsh(&["create", &guest.write(&self.shared).to_string_lossy()]);
            guest.until_filled(&self.shared).await;
        }
        let mut stream = self.api.stream().await;
        for guest in &self.guests {
            let is_here = |vm: &model::Vm| vm.host.as_str() == self.hosts[0].name && vm.state == VmState::Running;
            stream.until_vm(&guest.name, is_here).await;
        }
    }

    /// How many VMs run on the others, and none on the first.
    pub(crate) fn count_moved(&self) -> usize {
        let running = |host: &LabHost| {
            host.virsh(&["list", "--name", "--state-running"]).lines().filter(|line| !line.trim().is_empty()).count()
        };
        assert_eq!(running(&self.hosts[0]), 0, "the host is empty");
        self.hosts[1..].iter().map(running).sum()
    }
}

/// Limits what each host sends and receives to what the console is told, by the kernel's token bucket filter.
fn limit(hosts: &[LabHost; 3], options: &Options) {
    let rate = |mib_s: u32| format!("{}bit", u64::from(mib_s) * MIB * 8);
    let bucket = |device: &str, rate: &str| {
        let words = format!("qdisc add dev {device} root tbf rate {rate} burst {BURST} latency {LONGEST_WAIT}");
        words.split(' ').map(String::from).collect::<Vec<_>>()
    };
    for host in hosts {
        host.run("tc", &bucket("eth0", &rate(options.outgoing_mib_s)));
        // The bridge's ports are named after the hosts (host.sh).
        let status = Command::new("tc").args(bucket(host.name, &rate(options.incoming_mib_s))).status();
        assert!(status.expect("tc is installed (package iproute2)").success(), "the network can't be limited");
    }
}

/// A host in the console's configuration, with what its links carry.
fn console_host(LabHost { name, address, .. }: &LabHost, options: &Options, shared: &str) -> String {
    let Options { outgoing_mib_s, incoming_mib_s, .. } = options;
    format!(
        "[[hosts]]\nname = \"{name}\"\ntransport = \"tcp\"\naddress = \"{address}\"\ndaemon = \"system\"\n\
         shared_directories = [\"{shared}\"]\noutgoing_mib_s = {outgoing_mib_s}\nincoming_mib_s = {incoming_mib_s}\n"
    )
}
