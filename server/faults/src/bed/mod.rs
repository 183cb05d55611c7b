//! A bed: three libvirt daemons, a console and the VMs, on this machine and thrown away at the end.

mod vms;

use std::{
    collections::HashMap,
    fs,
    net::{Ipv4Addr, SocketAddrV4},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use demo::{Daemon, Daemons};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use self::vms::Kept;
pub use self::vms::Ready;
use crate::{
    console::Console,
    file_systems::{files, mount, unmount},
    guest,
    host::{Host, Sight},
    vm::{Disk, Vm},
};

/// How many hosts there are.
pub const HOSTS: usize = 3;
/// The pool that each host has for itself, and the sizes of its file system and of the console's.
pub const POOL: &str = "images";
const POOL_SIZE: &str = "40m";
const DATA_SIZE: &str = "48m";
/// The ports of the consoles.
const PORT: u16 = 8090;
const RIVAL_PORT: u16 = 8091;
/// How long the console may take to find a host that answers again: it tries every 10 s at least.
const HOSTS_LIMIT: Duration = Duration::from_secs(20);
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
}

/// A bed in use.
pub struct Bed {
    /// What to ask of alpha, beta and gamma.
    pub hosts: Vec<Host>,
    /// The console.
    pub console: Console,
    /// Another console, with data of its own, once it is needed.
    rival: Option<Console>,
    /// Where the VMs were when they were last seen to be well.
    kept: HashMap<&'static str, Kept>,
    daemons: Daemons,
    site: Site,
}

impl Bed {
    /// Makes it: daemons and console answer when this returns.
    pub async fn make(site: &Site) -> Result<Self> {
        let mut daemons = Daemons::start(site.directory.clone(), site.network, HOSTS, false).await?;
        let host = |daemon: &Daemon| Host {
            name: daemon.host.name,
            address: daemon.host.address,
            uri: daemon.host.uri(),
            home: daemons.dir().join(daemon.host.name),
        };
        let hosts: Vec<Host> = daemons.all().iter().map(host).collect();
        for host in &hosts {
            make_pool(&daemons, host).await?;
        }
        for vm in Vm::ALL.iter().filter(|vm| vm.disk == Disk::Served) {
            daemons.write_file(&daemons.shared_directory().join(vm.file()), &guest::new_disk())?;
            daemons.serve_disk(vm.name).await?;
        }
        let mut console = prepare_console(site, &daemons, &hosts, "console", PORT)?;
        mount(&console.data(), DATA_SIZE)?;
        console.ensure_running().await?;
        Ok(Self { hosts, console, rival: None, kept: HashMap::new(), daemons, site: site.clone() })
    }

    /// Ends everything and removes the directory.
    pub async fn end(self) -> Result<()> {
        let Self { hosts, console, rival, daemons, .. } = self;
        let mounts = hosts.iter().map(|host| host.home.join(POOL)).chain([console.data()]);
        let mounts: Vec<PathBuf> = mounts.collect();
        drop((console, rival));
        for host in &hosts {
            host.virsh_if_possible(&["pool-destroy", POOL]).await;
        }
        for path in mounts {
            unmount(&path);
        }
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

    /// The directory of a host's own pool.
    pub fn pool(&self, host: usize) -> PathBuf {
        self.hosts[host].home.join(POOL)
    }

    /// The image of a VM's disk on a host.
    pub fn image(&self, vm: &Vm, host: usize) -> PathBuf {
        match vm.disk {
            Disk::Copied => self.pool(host).join(vm.file()),
            Disk::Locked | Disk::Served => self.daemons.shared_directory().join(vm.file()),
        }
    }

    /// Starts what has ended, and returns when all daemons and the console answer.
    pub async fn ensure_all_answer(&mut self) -> Result<()> {
        for daemon in self.daemons.all_mut() {
            if let Err(error) = daemon.ensure_running().await {
                // libvirtd was seen to hang for ever when a client went away in the middle of a stream while it was stopped.
                eprintln!("{error}: it is killed");
                daemon.signal(Signal::KILL);
                daemon.wait_until_ended().await?;
                daemon.ensure_running().await?;
            }
        }
        self.console.ensure_running().await
    }

    /// The other console, which is started if need be.
    pub async fn rival(&mut self) -> Result<&Console> {
        if self.rival.is_none() {
            self.rival = Some(prepare_console(&self.site, &self.daemons, &self.hosts, "rival", RIVAL_PORT)?);
        }
        let rival = self.rival.as_mut().context("it was just made")?;
        rival.ensure_running().await?;
        Ok(rival)
    }

    /// What all hosts say of a VM.
    pub async fn look(&self, vm: &str) -> Vec<Sight> {
        let [alpha, beta, gamma] = &self.hosts[..] else { return Vec::new() };
        let (alpha, beta, gamma) = tokio::join!(alpha.look(vm), beta.look(vm), gamma.look(vm));
        vec![alpha, beta, gamma]
    }

    /// Waits until the console shows all hosts as connected, which it tries again every few seconds.
    pub async fn console_knows_hosts(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            let (_, hosts) = self.console.ask(Method::GET, "/api/hosts", None).await?;
            let connected = |host: &Value| host["state"]["connection"] == "connected";
            if hosts.as_array().is_some_and(|hosts| hosts.iter().all(connected)) {
                return Ok(());
            }
            ensure!(started.elapsed() < HOSTS_LIMIT, "the console does not see that all hosts answer: {hosts}");
            sleep(LOOK_AGAIN).await;
        }
    }

    /// What migrations left in the pools and on the hosts, but for the VM's own image where it is, and its old one.
    pub async fn left(&self, vm: &Vm, home: usize, old: Option<usize>) -> Result<Vec<String>> {
        let mut left = Vec::new();
        for host in 0..HOSTS {
            let mut files = files(&self.pool(host))?;
            files.retain(|file| {
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let own = name == vm.file() && (host == home || Some(host) == old);
                let others = Vm::ALL.iter().any(|other| other.name != vm.name && name == other.file());
                !own && !others
            });
            left.extend(files.iter().map(|file| file.display().to_string()));
            let pools = self.hosts[host].virsh(&["pool-list", "--all", "--name"]).await?;
            let strange = pools.lines().map(str::trim).filter(|pool| !pool.is_empty() && *pool != POOL);
            left.extend(strange.map(|pool| format!("the pool {pool} on {}", self.hosts[host].name)));
        }
        Ok(left)
    }

    /// The contents of a VM's disk.
    pub fn disk(&self, vm: &Vm, host: usize) -> Result<Vec<u8>> {
        let image = self.image(vm, host);
        fs::read(&image).with_context(|| format!("{} can't be read", image.display()))
    }
}

fn prepare_console(site: &Site, daemons: &Daemons, hosts: &[Host], name: &str, port: u16) -> Result<Console> {
    let [a, b, c, _] = site.network.octets();
    let address = SocketAddrV4::new(Ipv4Addr::new(a, b, c, 1), port);
    Console::prepare(&site.vmferry, daemons.dir().join(name), address, hosts, &daemons.shared_directory())
}

async fn make_pool(daemons: &Daemons, host: &Host) -> Result<()> {
    let directory = host.home.join(POOL);
    daemons.make_directory(&directory)?;
    mount(&directory, POOL_SIZE)?;
    host.virsh(&["pool-define-as", POOL, "dir", "--target", &directory.to_string_lossy()]).await?;
    // So that it is active again after the daemon was killed.
    host.virsh(&["pool-autostart", POOL]).await?;
    host.virsh(&["pool-start", POOL]).await?;
    Ok(())
}
