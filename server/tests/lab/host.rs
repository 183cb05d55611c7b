//! A host of the lab: its namespaces and its privileged libvirt daemon.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use engine::{Daemon, HostConfig, Transport};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, UnixStream},
    time::sleep,
};

/// libvirt's own port for TCP.
const PORT: u16 = 16509;
/// Where the daemon writes its process id.
const PID_FILE: &str = "/run/libvirtd.pid";
/// The limit for the daemon's first answer.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A libvirt daemon with mounts and a network of its own.
pub struct LabHost {
    pub name: &'static str,
    /// An address that exists in the sandbox only.
    pub address: String,
    sandbox: PathBuf,
    /// The process that keeps the namespaces alive.
    keeper: Child,
    /// None while it is stopped.
    daemon: Mutex<Option<Child>>,
    /// Its ssh server; none unless it was started.
    pub(super) sshd: Mutex<Option<Child>>,
}

impl LabHost {
    /// Starts it; returns when its daemon answers. `last` is the last number of its address; `unpacked` are directories with unpacked
    /// packages that it has and the machine has not.
    pub(super) async fn start(sandbox: &Path, name: &'static str, last: u8, unpacked: &[&Path]) -> Self {
        let address = format!("192.0.2.{last}");
        let mut keeper = Command::new("unshare")
            .args(["--mount", "--net"])
            .args([super::script("host.sh").as_os_str(), sandbox.as_os_str()])
            .args([name, &address, &format!("766d6665-7272-4902-8000-0000c0000{last:03x}")])
            .args(unpacked)
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare exists");
        let mut ready = String::new();
        BufReader::new(keeper.stdout.take().expect("it was asked for")).read_line(&mut ready).expect("it is text");
        assert_eq!(ready, "ready\n", "{name} could not be made");
        let host = Self {
            name,
            address,
            sandbox: sandbox.to_owned(),
            keeper,
            daemon: Mutex::new(None),
            sshd: Mutex::new(None),
        };
        host.start_daemon().await;
        host
    }

    /// Starts the daemon, and returns when it answers.
    pub async fn start_daemon(&self) {
        let log = File::options().create(true).append(true).open(self.log_file()).expect("a log can be written");
        let mut daemon = self
            .within("libvirtd", &["--listen", "--pid-file", PID_FILE])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nsenter exists");
        let limit = Instant::now() + START_LIMIT;
        while !self.try_virsh(&["list"]).status.success() {
            let ended = daemon.try_wait().expect("it is our child");
            assert!(ended.is_none() && Instant::now() < limit, "{} does not answer:\n{}", self.name, self.log());
            sleep(Duration::from_millis(50)).await;
        }
        *self.daemon.lock().expect("no thread panicked with the lock") = Some(daemon);
    }

    /// Ends the daemon; its VMs stay.
    pub fn stop_daemon(&self) {
        self.signal_daemon("-TERM");
        let daemon = self.daemon.lock().expect("no thread panicked with the lock").take();
        daemon.expect("it runs").wait().expect("it is our child");
    }

    /// Sends a signal to the daemon.
    pub fn signal_daemon(&self, signal: &str) {
        let pid = fs::read_to_string(self.path(PID_FILE)).expect("the daemon writes its process id");
        self.run("kill", &[signal, pid.trim()]);
    }

    /// What the daemon logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.sandbox.join(format!("{}.log", self.name))
    }

    /// Where the test finds one of the host's own files: those below /etc, /root, /var/lib/libvirt, /var/log, /var/cache and /run.
    pub fn path(&self, path: &str) -> PathBuf {
        self.sandbox.join(self.name).join(path.trim_start_matches('/'))
    }

    /// Runs a program on this host, which has to succeed; its output.
    pub fn run<Argument: AsRef<OsStr>>(&self, program: &str, arguments: &[Argument]) -> String {
        let output = self.within(program, arguments).output().expect("nsenter exists");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} failed on {}: {errors}", self.name);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs virsh, which has to succeed; its output.
    pub fn virsh<Argument: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[Argument]) -> String {
        let output = self.try_virsh(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "virsh {arguments:?} on {}: {errors}", self.name);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs virsh, which may fail.
    pub fn try_virsh<Argument: AsRef<OsStr>>(&self, arguments: &[Argument]) -> Output {
        Command::new("virsh").args(["-q", "-c", &self.uri()]).args(arguments).output().expect("virsh is installed")
    }

    /// The host's configuration for the engine.
    pub fn config(&self) -> HostConfig {
        let address: engine::Address = self.address.parse().expect("it is an address");
        let transport = Transport::Tcp { address: address.clone(), port: PORT, daemon: Daemon::System };
        HostConfig {
            name: self.name.parse().expect("it is a name"),
            transport: transport.clone(),
            peer_address: address,
            peer_transport: transport,
            bandwidth_mib_s: None,
            policy_defaults: model::PolicyDefaults::default(),
            shared_directories: vec![self.sandbox.join("shared").display().to_string()],
            budget: model::HostBudget::default(),
        }
    }

    /// Forwards a TCP port to libvirt's read-only socket for as long as the test runs; its address.
    pub fn serve_read_only(&self) -> SocketAddr {
        let listener = std::net::TcpListener::bind((super::SANDBOX_ADDRESS, 0)).expect("the sandbox has this address");
        let address = listener.local_addr().expect("it is bound");
        listener.set_nonblocking(true).expect("a socket can be non-blocking");
        let (listener, socket) = (TcpListener::from_std(listener), self.path("/run/libvirt/libvirt-sock-ro"));
        let listener = listener.expect("there is a runtime");
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut daemon = UnixStream::connect(&socket).await.expect("the daemon listens");
                // Either side may hang up first.
                tokio::spawn(async move { copy_bidirectional(&mut client, &mut daemon).await });
            }
        });
        address
    }

    /// Its URI for libvirt's clients.
    pub fn uri(&self) -> String {
        format!("qemu+tcp://{}:{PORT}/system", self.address)
    }

    pub(super) fn within<Argument: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, arguments: &[Argument]) -> Command {
        let mut command = Command::new("nsenter");
        command.env("HOME", self.path("/root"));
        command
            .args(["--target", &self.keeper.id().to_string(), "--mount", "--net", "--"])
            .arg(program)
            .args(arguments);
        command
    }
}
