//! The hosts of a trial: two real ones, of the demo or of the lab.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use engine::{Daemon, HostConfig, Transport};

use crate::{
    guest::{Guest, NAME},
    lab::LabHost,
    support::Demo,
};

/// A source and a destination.
pub struct TestBed<'a> {
    pub source: Machine<'a>,
    pub destination: Machine<'a>,
    /// A directory that both hosts share, according to their settings, too.
    pub shared: PathBuf,
    /// A directory for the definitions that virsh reads.
    pub dir: PathBuf,
}

impl TestBed<'_> {
    /// Lets virsh migrate the VM and its disks; libvirt's error if that fails.
    pub fn migrate_by_virsh(&self) -> Result<(), String> {
        let (uri, data) = (&self.destination.uri, format!("tcp://{}", self.destination.config.peer_address));
        let how = ["migrate", "--live", "--p2p", "--persistent", "--undefinesource", "--copy-storage-all"];
        let output = self.source.try_virsh(&[&how[..], &[NAME, uri, &data]].concat());
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
    }
}

/// A real host, as virsh and the console see it.
pub struct Machine<'a> {
    pub config: HostConfig,
    uri: String,
    /// The directory for its own pools.
    home: PathBuf,
    /// None for a host of the demo.
    lab: Option<&'a LabHost>,
}

impl<'a> Machine<'a> {
    /// A host of the demo.
    pub fn of_demo(demo: &Demo, name: &str) -> Self {
        let address: engine::Address = demo.address(name).to_string().parse().expect("it is an address");
        let transport = Transport::Tcp { address: address.clone(), port: 16509, daemon: Daemon::Session };
        let config = HostConfig {
            name: name.parse().expect("it is a name"),
            transport: transport.clone(),
            peer_transport: transport,
            peer_address: address.clone(),
            bandwidth_mib_s: None,
            policy_defaults: model::PolicyDefaults::default(),
            shared_directories: vec![demo.dir().join("shared").display().to_string()],
            budget: model::HostBudget::default(),
        };
        Self { config, uri: format!("qemu+tcp://{address}/session"), home: demo.dir().join(name), lab: None }
    }

    /// A host of the lab.
    pub fn of_lab(host: &'a LabHost) -> Self {
        Self { config: host.config(), uri: host.uri(), home: "/var/lib/libvirt/images".into(), lab: Some(host) }
    }

    /// The host's configuration with a change.
    pub fn config_with(&self, change: impl FnOnce(&mut HostConfig)) -> HostConfig {
        let mut config = self.config.clone();
        change(&mut config);
        config
    }

    /// The host's configuration with another address of its daemon.
    pub fn config_at(&self, daemon: SocketAddr) -> HostConfig {
        self.config_with(|config| {
            for transport in [&mut config.transport, &mut config.peer_transport] {
                if let Transport::Tcp { address, port, .. } = transport {
                    (*address, *port) = (daemon.ip().to_string().parse().expect("it is an address"), daemon.port());
                }
            }
        })
    }

    /// The host as the lab's.
    pub fn lab(&self) -> &'a LabHost {
        self.lab.expect("this trial is made in the lab")
    }

    /// Where this trial's pool is on this host.
    pub fn pool_path(&self, guest: &Guest) -> PathBuf {
        self.home.join(format!("{NAME}-{}", guest.number))
    }

    /// Runs virsh, which has to succeed; its output.
    pub fn virsh(&self, arguments: &[&str]) -> String {
        let output = self.try_virsh(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "virsh {arguments:?} on {}: {errors}", self.config.name);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs virsh, which may fail.
    pub fn try_virsh(&self, arguments: &[&str]) -> Output {
        Command::new("virsh").args(["-q", "-c", &self.uri]).args(arguments).output().expect("virsh is installed")
    }

    /// The VM's state on this host, in libvirt's words; none if it is not there, or libvirt does not answer.
    pub fn state(&self, guest: &Guest) -> Option<String> {
        let output = self.try_virsh(&["domstate", &guest.id.to_string()]);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Starts the VM on this host; libvirt's error if it can't.
    pub fn start(&self, guest: &Guest) -> Result<(), String> {
        let output = self.try_virsh(&["start", &guest.id.to_string()]);
        let errors = String::from_utf8_lossy(&output.stderr);
        // The first line says only that it failed.
        if output.status.success() { Ok(()) } else { Err(errors.lines().skip(1).collect::<Vec<_>>().join("\n")) }
    }

    /// Defines and starts this trial's pool, a directory.
    pub fn start_pool(&self, guest: &Guest) {
        self.start_pool_at(&self.pool_path(guest));
    }

    /// Defines and starts this trial's pool in this directory.
    pub fn start_pool_at(&self, path: &Path) {
        self.virsh(&["pool-define-as", NAME, "dir", "--target", &text(path)]);
        self.virsh(&["pool-build", NAME]);
        self.virsh(&["pool-start", NAME]);
    }

    /// Makes a volume in that pool; its path.
    pub fn make_volume(&self, name: &str, format: &str, size: &str) -> PathBuf {
        self.virsh(&["vol-create-as", NAME, name, size, "--format", format]);
        self.virsh(&["vol-path", name, "--pool", NAME]).into()
    }

    /// Removes everything that trials made on this host.
    pub fn clean(&self) {
        let listed = |arguments: &[&str]| {
            let output = self.try_virsh(arguments);
            let ours = |name: &&str| name.starts_with(NAME);
            String::from_utf8_lossy(&output.stdout).lines().map(str::trim).filter(ours).map(str::to_owned).collect()
        };
        let vms: Vec<String> = listed(&["list", "--all", "--name"]);
        for vm in &vms {
            self.try_virsh(&["destroy", vm]);
            self.try_virsh(&["undefine", vm, "--snapshots-metadata", "--checkpoints-metadata", "--nvram", "--tpm"]);
        }
        for (kind, list) in [("pool", "pool-list"), ("net", "net-list")] {
            let names: Vec<String> = listed(&[list, "--all", "--name"]);
            for name in &names {
                self.try_virsh(&[&format!("{kind}-destroy"), name]);
                self.try_virsh(&[&format!("{kind}-undefine"), name]);
            }
        }
    }
}

/// A path as an argument or in XML. The tests' paths need no escaping.
pub fn text(path: &Path) -> String {
    path.display().to_string()
}
