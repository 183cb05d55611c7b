//! `vmferry demo`: real libvirt hosts and real, tiny VMs on this machine, removed at the end. The command line is in
//! `server/src/commands/demo.rs`.
//!
//! Four libvirt daemons run in session mode as an unprivileged user, each with its own directories and its own address in
//! 127.0.0.0/8; three VMs run on the first of them under QEMU's own emulation (no KVM needed). The last is for the user to
//! register. Nothing is simulated, and the integration and browser tests drive the same code.

mod boot_sector;
mod daemons;
mod directory;
mod domain;
mod error;
mod guest;
mod host;
mod leftovers;
mod monitor;
mod orphans;
mod programs;
mod service;
mod storage;
mod user;
mod virsh;
mod written;

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

pub use self::boot_sector::BootSector;
pub use self::daemons::{Daemon, Daemons};
use self::directory::Directory;
pub use self::error::DemoError;
use self::guest::{FEWEST, MOST, guests};
pub use self::host::DemoHost;
pub use self::monitor::monitor_numbers;
use self::programs::Programs;
pub use self::storage::SharedStorage;
use self::user::Unprivileged;
pub use self::written::{next_word, pass_of, written_sector};

/// The options of a demo.
#[derive(Debug, Clone)]
pub struct DemoOptions {
    /// The directory for all its state. `None` is `vmferry-demo-UID` in the directory for temporary files.
    pub dir: Option<PathBuf>,
    /// The hosts get the addresses .2 to .5 of this /24; it has to lie in 127.0.0.0/8.
    pub network: Ipv4Addr,
    /// How all hosts reach the VMs' disks.
    pub storage: SharedStorage,
    /// How many VMs there are, 3 to 48: three on the first host, the others on the next two.
    pub guests: u8,
    /// Keep the directory at the end, for its logs. The next demo in it starts afresh anyway.
    pub keep: bool,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            dir: None,
            network: Ipv4Addr::new(127, 0, 0, 0),
            storage: SharedStorage::Auto,
            guests: FEWEST,
            keep: false,
        }
    }
}

/// A running demo. End it with [`Demo::stop`]; one that is dropped instead (an error, a Ctrl-C during the start) is
/// killed at once, so that in either case no process and no file stays behind.
#[derive(Debug)]
pub struct Demo {
    hosts: Vec<DemoHost>,
    services: JoinSet<()>,
    _orphans: AbortOnDropHandle<()>,
    directory: Directory,
}

impl Demo {
    /// Starts the hosts and the VMs, and returns when every daemon answers and every VM has filled its memory.
    ///
    /// What a killed demo left in the directory is ended and removed first.
    ///
    /// # Errors
    /// Why the demo can't run. All that was started is ended then.
    pub async fn start(options: DemoOptions) -> Result<Self, DemoError> {
        let hosts = host::hosts(options.network)?;
        let programs = Programs::find().await?;
        let disks = options.storage.choose(&programs)?;
        let user = Unprivileged::find()?;
        let directory = Directory::claim(options.dir, user, options.keep).await?;
        let mut demo = Self { hosts, services: JoinSet::new(), _orphans: orphans::adopt()?, directory };
        demo.start_hosts(&programs, user).await?;
        demo.start_guests(&programs, user, disks, options.guests).await?;
        Ok(demo)
    }

    /// The hosts that the console knows: alpha, beta, gamma.
    pub fn hosts(&self) -> &[DemoHost] {
        &self.hosts[..self.hosts.len() - 1]
    }

    /// A host like the others that the console does not know until a user registers it: delta.
    pub fn unregistered(&self) -> &DemoHost {
        &self.hosts[self.hosts.len() - 1]
    }

    /// The directory with all state. The caller may keep files of its own there; they go when the demo ends.
    pub fn dir(&self) -> &Path {
        self.directory.path()
    }

    /// The directory that all hosts share. The VMs' disks are in it.
    pub fn shared_directory(&self) -> PathBuf {
        storage::shared(&self.directory)
    }

    /// Ends the VMs and the daemons and removes the directory, unless it is to be kept.
    ///
    /// # Errors
    /// A process that did not end, or a directory that could not be removed.
    pub async fn stop(mut self) -> Result<(), DemoError> {
        self.services.shutdown().await;
        leftovers::end_all(self.directory.path()).await?;
        self.directory.release()
    }

    async fn start_hosts(&mut self, programs: &Programs, user: Option<Unprivileged>) -> Result<(), DemoError> {
        for host in &self.hosts {
            host.check_address_is_free()?;
        }
        storage::make_shared(&self.directory, user)?;
        let mut starting = JoinSet::new();
        for host in self.hosts.clone() {
            let service = host.prepare(&self.directory, programs, user)?;
            let programs = programs.clone();
            starting.spawn(async move {
                let mut daemon = service.spawn()?;
                service.wait_until(&mut daemon, virsh::answers(&programs, &host)).await?;
                Ok::<_, DemoError>((service, daemon))
            });
        }
        while let Some(started) = starting.join_next().await {
            let (service, daemon) = started.expect("a start neither panics nor is aborted")?;
            self.services.spawn(service.keep_running(daemon));
        }
        Ok(())
    }

    async fn start_guests(
        &mut self,
        programs: &Programs,
        user: Option<Unprivileged>,
        disks: storage::Disks,
        count: u8,
    ) -> Result<(), DemoError> {
        let guests = guests(count.clamp(FEWEST, MOST));
        for guest in &guests {
            storage::write_image(&self.directory, user, guest)?;
            if let Some(export) = disks.export(&self.directory, programs, user, guest) {
                let mut server = export.spawn()?;
                export.wait_until(&mut server, storage::exported(&self.directory, &guest.name)).await?;
                self.services.spawn(export.keep_running(server));
            }
            domain::start(programs, &self.hosts[guest.host], &self.directory, disks, guest).await?;
        }
        for guest in &guests {
            domain::wait_until_filled(&self.directory, guest).await?;
        }
        Ok(())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if self.directory.is_released() {
            return;
        }
        self.services.abort_all();
        leftovers::kill_all(self.directory.path());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn start(name: &str, third_octet: u8) -> Demo {
        let dir = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        let network = Ipv4Addr::new(127, 0, third_octet, 0);
        Demo::start(DemoOptions { dir: Some(dir), network, ..DemoOptions::default() }).await.unwrap()
    }

    #[tokio::test]
    async fn all_hosts_answer_and_the_end_leaves_nothing() {
        let demo = start("vmfd1", 91).await;
        let programs = Programs::find().await.unwrap();
        for host in demo.hosts().iter().chain([demo.unregistered()]) {
            virsh::answers(&programs, host).await.unwrap();
        }
        for guest in guests(FEWEST) {
            // Only a running VM can be suspended.
            virsh::run(&programs, &demo.hosts()[0], "suspend", &["suspend", &guest.name]).await.unwrap();
        }
        let dir = demo.dir().to_owned();
        demo.stop().await.unwrap();
        assert_eq!(leftovers::count(&dir), 0);
        assert!(!dir.exists());
    }

    #[tokio::test]
    async fn a_demo_that_is_dropped_leaves_nothing_either() {
        let demo = start("vmfd2", 92).await;
        let dir = demo.dir().to_owned();
        drop(demo);
        assert!(!dir.exists());
        let gone = async {
            while leftovers::count(&dir) > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(service::START_LIMIT, gone).await.expect("killed processes go");
    }
}
