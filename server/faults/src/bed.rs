//! A bed: three libvirt daemons, a console and the VMs, on this machine and thrown away at the end.

use std::{fs, net::Ipv4Addr, path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use demo::{Daemon, Daemons};
use tokio::time::{Instant, sleep};

use crate::{
    console::Console,
    guest::{self, Facts},
    host::{Host, Sight},
    vm::{Disk, Vm},
};

/// How many hosts there are.
pub const HOSTS: usize = 3;
/// How long the console may take to know what libvirt knows.
const KNOWS_LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Where a bed is made, and of what.
#[derive(Clone, Debug)]
pub struct Site {
    /// The directory for all its state.
    pub directory: PathBuf,
    /// The addresses of this /24 are the bed's.
    pub network: Ipv4Addr,
    /// The program `vmferry`.
    pub vmferry: PathBuf,
    /// Keep the directory.
    pub keep: bool,
}

/// A bed in use.
pub struct Bed {
    /// What to ask of alpha, beta and gamma.
    pub hosts: Vec<Host>,
    /// The console.
    pub console: Console,
    daemons: Daemons,
}

impl Bed {
    /// Makes it: daemons and console answer when this returns.
    pub async fn make(site: &Site) -> Result<Self> {
        let mut daemons = Daemons::start(site.directory.clone(), site.network, HOSTS, site.keep).await?;
        let host = |daemon: &Daemon| Host {
            name: daemon.host.name,
            address: daemon.host.address,
            uri: daemon.host.uri(),
            home: daemons.dir().join(daemon.host.name),
        };
        let hosts: Vec<Host> = daemons.all().iter().map(host).collect();
        for vm in Vm::ALL {
            daemons.write_file(&vm.image(&daemons.shared_directory()), &guest::new_disk())?;
            if vm.disk == Disk::Served {
                daemons.serve_disk(vm.name).await?;
            }
        }
        let [a, b, c, _] = site.network.octets();
        let directory = daemons.dir().join("console");
        let address = Ipv4Addr::new(a, b, c, 1);
        let mut console = Console::prepare(&site.vmferry, directory, address, &hosts, &daemons.shared_directory())?;
        console.ensure_running().await?;
        Ok(Self { hosts, console, daemons })
    }

    /// Ends everything and removes the directory.
    pub async fn end(self) -> Result<()> {
        let Self { console, daemons, .. } = self;
        drop(console);
        Ok(daemons.stop().await?)
    }

    /// Why VMs with this disk can't move here.
    pub fn lacks(&self, disk: Disk) -> Option<&'static str> {
        let knows = disk != Disk::Locked || self.daemons.can_share_directories();
        (!knows).then_some("this libvirt can't be told that a directory is shared")
    }

    /// The daemon of a host.
    pub fn daemon(&self, host: usize) -> &Daemon {
        &self.daemons.all()[host]
    }

    /// The daemon of a host, to be started again.
    pub fn daemon_mut(&mut self, host: usize) -> &mut Daemon {
        &mut self.daemons.all_mut()[host]
    }

    /// Starts what has ended, and returns when all daemons and the console answer.
    pub async fn ensure_all_answer(&mut self) -> Result<()> {
        for daemon in self.daemons.all_mut() {
            daemon.ensure_running().await?;
        }
        self.console.ensure_running().await
    }

    /// What all hosts say of a VM.
    pub async fn look(&self, vm: &str) -> Vec<Sight> {
        let [alpha, beta, gamma] = &self.hosts[..] else { return Vec::new() };
        let (alpha, beta, gamma) = tokio::join!(alpha.look(vm), beta.look(vm), gamma.look(vm));
        vec![alpha, beta, gamma]
    }

    /// The host on which the VM runs, and what its guest did; started anew on alpha if it does not run on exactly one host.
    pub async fn ensure_guest(&mut self, vm: &Vm) -> Result<(usize, Facts)> {
        let sights = self.look(vm.name).await;
        let mut active = sights.iter().enumerate().filter(|(_, sight)| sight.is_active());
        if let (Some((host, sight)), None) = (active.next(), active.next())
            && sight.runs()
        {
            let facts = Facts::read(&self.hosts[host], vm.name).await?;
            if facts.bad == 0 && facts.life != 0 {
                self.console_knows(vm, host).await?;
                return Ok((host, facts));
            }
        }
        self.start_anew(vm).await
    }

    /// Starts the VM on alpha, with a new disk, and removes it from all other hosts.
    pub async fn start_anew(&mut self, vm: &Vm) -> Result<(usize, Facts)> {
        for host in &self.hosts {
            host.virsh_if_possible(&["destroy", vm.name]).await;
            host.virsh_if_possible(&["undefine", vm.name]).await;
            ensure!(host.look(vm.name).await == Sight::Absent, "{} can't be removed from {}", vm.name, host.name);
        }
        let shared = self.daemons.shared_directory();
        self.daemons.write_file(&vm.image(&shared), &guest::new_disk())?;
        let definition = self.daemons.dir().join(format!("{}.xml", vm.name));
        fs::write(&definition, vm.xml(&shared))?;
        let alpha = &self.hosts[0];
        alpha.virsh(&["define", &definition.to_string_lossy()]).await?;
        alpha.virsh(&["start", vm.name]).await?;
        let facts = Facts::once_filled(alpha, vm.name).await?;
        self.console_knows(vm, 0).await?;
        Ok((0, facts))
    }

    /// Waits until the console shows the VM as running on this host, in no migration.
    pub async fn console_knows(&self, vm: &Vm, host: usize) -> Result<()> {
        let started = Instant::now();
        loop {
            let shown = self.console.vm(vm.name).await?;
            if shown["host"] == self.hosts[host].name && shown["state"] == "running" && shown["task"].is_null() {
                return Ok(());
            }
            if started.elapsed() > KNOWS_LIMIT {
                bail!("the console does not see that {} runs on {}: {shown}", vm.name, self.hosts[host].name);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// The contents of a VM's disk that all hosts share.
    pub fn shared_disk(&self, vm: &Vm) -> Result<Vec<u8>> {
        fs::read(vm.image(&self.daemons.shared_directory())).context("the disk can't be read")
    }
}
