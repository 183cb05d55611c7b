//! Hosts without VMs and without a console, whose daemons the caller ends and starts again: for trials of what happens when
//! they die.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{process::Child, time::timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    DemoError, DemoHost,
    directory::Directory,
    host, leftovers, orphans,
    programs::Programs,
    service::Service,
    storage,
    user::{Unprivileged, make_directory, write_file},
    virsh,
};

/// How long a daemon that was told to end may take before it is killed.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Hosts without VMs. End them with [`Daemons::stop`]; what is dropped instead is killed at once.
#[derive(Debug)]
pub struct Daemons {
    daemons: Vec<Daemon>,
    exports: Vec<Child>,
    programs: Programs,
    user: Option<Unprivileged>,
    _orphans: AbortOnDropHandle<()>,
    directory: Directory,
}

/// The libvirt daemon of a host.
#[derive(Debug)]
pub struct Daemon {
    /// The host.
    pub host: DemoHost,
    programs: Programs,
    service: Service,
    process: Child,
}

impl Daemons {
    /// Starts the first `count` of the hosts alpha, beta, gamma and delta, and returns when all answer. `dir` holds all state;
    /// what a killed predecessor left there is ended and removed first. It stays at the end if it is to be kept, for its logs.
    ///
    /// # Errors
    /// Why they can't run. All that was started is ended then.
    pub async fn start(dir: PathBuf, network: Ipv4Addr, count: usize, keep: bool) -> Result<Self, DemoError> {
        let hosts = host::hosts(network)?;
        let programs = Programs::find().await?;
        let user = Unprivileged::find()?;
        let directory = Directory::claim(Some(dir), user, keep).await?;
        let orphans = orphans::adopt()?;
        let mut started =
            Self { daemons: Vec::new(), exports: Vec::new(), programs, user, _orphans: orphans, directory };
        storage::make_shared(&started.directory, user)?;
        for host in hosts.into_iter().take(count) {
            let daemon = started.start_daemon(host)?;
            started.daemons.push(daemon);
        }
        for daemon in &mut started.daemons {
            daemon.wait_until_ready().await?;
        }
        Ok(started)
    }

    fn start_daemon(&self, host: DemoHost) -> Result<Daemon, DemoError> {
        host.check_address_is_free()?;
        let service = host.prepare(&self.directory, &self.programs, self.user)?;
        let process = service.spawn()?;
        Ok(Daemon { host, programs: self.programs.clone(), service, process })
    }

    /// The daemons, alpha's first.
    pub fn all(&self) -> &[Daemon] {
        &self.daemons
    }

    /// The daemons, to end and start them.
    pub fn all_mut(&mut self) -> &mut [Daemon] {
        &mut self.daemons
    }

    /// The directory with all state. The caller may keep files of its own there; they go at the end.
    pub fn dir(&self) -> &Path {
        self.directory.path()
    }

    /// The directory that all hosts share. Not all versions of libvirt know that it is shared:
    /// [`Daemons::can_share_directories`].
    pub fn shared_directory(&self) -> PathBuf {
        storage::shared(&self.directory)
    }

    /// Whether the installed libvirt lets VMs move whose disks are files in [`Daemons::shared_directory`].
    pub fn can_share_directories(&self) -> bool {
        storage::can_share_directories(&self.programs)
    }

    /// Writes a file that the daemons can use.
    ///
    /// # Errors
    /// A file that can't be written.
    pub fn write_file(&self, path: &Path, content: &[u8]) -> Result<(), DemoError> {
        write_file(path, content, self.user)
    }

    /// Makes a directory that the daemons can use.
    ///
    /// # Errors
    /// A directory that can't be made.
    pub fn make_directory(&self, path: &Path) -> Result<(), DemoError> {
        make_directory(path, self.user)
    }

    /// Serves `VM.img` of the shared directory at the socket `VM.nbd` there, until the end.
    ///
    /// # Errors
    /// A server that does not start.
    pub async fn serve_disk(&mut self, vm: &str) -> Result<(), DemoError> {
        let export = storage::export(&self.directory, &self.programs, self.user, vm);
        let mut server = export.spawn()?;
        export.wait_until(&mut server, storage::exported(&self.directory, vm)).await?;
        self.exports.push(server);
        Ok(())
    }

    /// Ends the VMs and the daemons and removes the directory, unless it is to be kept.
    ///
    /// # Errors
    /// A process that did not end, or a directory that could not be removed.
    pub async fn stop(mut self) -> Result<(), DemoError> {
        leftovers::end_all(self.directory.path()).await?;
        self.directory.release()
    }
}

impl Drop for Daemons {
    fn drop(&mut self) {
        if !self.directory.is_released() {
            leftovers::kill_all(self.directory.path());
        }
    }
}

impl Daemon {
    /// Its process, unless it has ended and was seen to end.
    pub fn pid(&self) -> Option<Pid> {
        self.process.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
    }

    /// Sends it a signal, if it runs.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // Fails if it has ended meanwhile.
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits until a daemon that was told to end has ended; one that does not is killed.
    ///
    /// # Errors
    /// A process that can't be waited for.
    pub async fn wait_until_ended(&mut self) -> Result<(), DemoError> {
        let program = &self.service.program;
        if timeout(END_LIMIT, self.process.wait()).await.is_err() {
            self.process.kill().await.map_err(DemoError::io("end", program))?;
        }
        Ok(())
    }

    /// Starts it again, if it has ended, and returns when it answers.
    ///
    /// # Errors
    /// A daemon that does not start.
    pub async fn ensure_running(&mut self) -> Result<(), DemoError> {
        let ended = self.process.try_wait().map_err(DemoError::io("wait for", &self.service.program))?;
        if ended.is_some() {
            self.process = self.service.spawn()?;
        }
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&mut self) -> Result<(), DemoError> {
        self.service.wait_until(&mut self.process, virsh::answers(&self.programs, &self.host)).await
    }
}
