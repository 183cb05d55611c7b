//! A real demo for a test file: libvirt daemons, guests and the console, with clients of its API and its stream.

#![allow(dead_code, unused_imports, reason = "every test file uses its own part of this")]

mod api;
mod served;
mod stream;

use std::{
    io::{BufRead, BufReader},
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio},
    sync::LazyLock,
    time::Duration,
};

use tokio::sync::Mutex;

pub use api::Api;
pub use served::Served;
pub use stream::{Socket, Stream};

/// How long a test waits for anything.
pub const LIMIT: Duration = Duration::from_secs(90);

pub const PASSWORD: &str = "a long test password";

/// A running `vmferry demo`. It ends when this process does, because its standard input closes then.
pub struct Demo {
    pub base: String,
    network: [u8; 3],
    dir: PathBuf,
    _child: Child,
    _stdin: ChildStdin,
    _output: BufReader<ChildStdout>,
}

/// A test file's demo, taken by one test at a time.
pub type Shared = LazyLock<Mutex<Demo>>;

impl Demo {
    /// Starts a demo on the addresses 127.0.`number`.2 to .4.
    pub fn start(number: u8) -> Self {
        Self::with_guests(number, 3)
    }

    /// The same with so many VMs.
    pub fn with_guests(number: u8, guests: u8) -> Self {
        let dir = std::env::temp_dir().join(format!("vmferry-test-{number}"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_vmferry"))
            .args(["demo", "--listen", "127.0.0.1:0", "--until-stdin-closes"])
            .args(["--guests", &guests.to_string(), "--network", &format!("127.0.{number}.0"), "--dir"])
            .arg(&dir)
            .env("VMFERRY_ADMIN_PASSWORD", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the demo starts");
        let stdin = child.stdin.take().expect("it was asked for");
        let mut output = BufReader::new(child.stdout.take().expect("it was asked for"));
        let base = loop {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).expect("it can be read"), 0, "the demo ended before it was ready");
            if let Some(address) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                break address.trim_end_matches('/').to_owned();
            }
        };
        Self { base, network: [127, 0, number], dir, _child: child, _stdin: stdin, _output: output }
    }

    /// The address of alpha (2), beta (3) or gamma (4).
    pub fn address(&self, host: &str) -> IpAddr {
        let last = match host {
            "alpha" => 2,
            "beta" => 3,
            "gamma" => 4,
            other => panic!("the demo has no host {other}"),
        };
        let [a, b, c] = self.network;
        Ipv4Addr::new(a, b, c, last).into()
    }

    /// The address of the host that is not registered yet.
    pub fn delta(&self) -> IpAddr {
        let [a, b, c] = self.network;
        Ipv4Addr::new(a, b, c, 5).into()
    }

    /// The directory with all its state.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs virsh on a host; its output, whether it succeeds or not.
    pub fn virsh(&self, host: &str, arguments: &[&str]) -> String {
        String::from_utf8_lossy(&self.run_virsh(host, arguments).stdout).into_owned()
    }

    /// Runs virsh on a host, which has to succeed; its output.
    pub fn virsh_succeeds(&self, host: &str, arguments: &[&str]) -> String {
        let output = self.run_virsh(host, arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "virsh {arguments:?} on {host}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn run_virsh(&self, host: &str, arguments: &[&str]) -> Output {
        let uri = format!("qemu+tcp://{}/session", self.address(host));
        Command::new("virsh").args(["-c", &uri]).args(arguments).output().expect("virsh is installed")
    }

    /// The hosts on which the VM runs, according to virsh.
    pub fn runs_on(&self, vm: &str) -> Vec<&'static str> {
        let runs = |host: &&str| {
            self.virsh(host, &["list", "--name", "--state-running"]).lines().any(|name| name.trim() == vm)
        };
        ["alpha", "beta", "gamma"].into_iter().filter(runs).collect()
    }

    /// The hosts that have the VM, running or not, according to virsh.
    pub fn defined_on(&self, vm: &str) -> Vec<&'static str> {
        let has = |host: &&str| self.virsh(host, &["list", "--name", "--all"]).lines().any(|name| name.trim() == vm);
        ["alpha", "beta", "gamma"].into_iter().filter(has).collect()
    }

    /// The next lifecycle event of a VM on a host, as virsh prints it.
    pub fn event(&self, host: &str, vm: &str) -> impl Iterator<Item = String> + Send + use<> {
        let uri = format!("qemu+tcp://{}/session", self.address(host));
        let arguments = ["event", "--domain", vm, "--event", "lifecycle", "--timeout", "60"];
        let mut virsh = Command::new("virsh");
        virsh.args(["-c", &uri]).args(arguments).stdout(Stdio::piped());
        let output = virsh.spawn().expect("virsh is installed").stdout.expect("it was asked for");
        BufReader::new(output).lines().map_while(Result::ok)
    }

    /// Sends a signal to a host's libvirt daemon.
    pub fn signal_daemon(&self, host: &str, signal: &str) {
        let pid = self.daemon(host).expect("the daemon runs");
        let status = Command::new("kill").args([signal, &pid]).status().expect("kill exists");
        assert!(status.success());
    }

    /// The process id of a host's libvirt daemon, if it runs. Its pid file may be that of a daemon that was killed.
    pub fn daemon(&self, host: &str) -> Option<String> {
        let file = self.dir.join(host).join("run").join("libvirtd.pid");
        let pid = std::fs::read_to_string(&file).ok()?.trim().to_owned();
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&command).contains(&*file.to_string_lossy()).then_some(pid)
    }

    /// A client that has logged in.
    pub async fn login(&self) -> Api {
        Api::login(&self.base).await
    }

    /// A client that has not logged in.
    pub fn visitor(&self) -> Api {
        Api::visitor(&self.base)
    }
}
