//! What libvirt on a host says, asked with virsh: never the console's word.

use std::{
    fmt, fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use tokio::{process::Command, time::timeout};

/// How long virsh may take.
const LIMIT: Duration = Duration::from_secs(10);

/// A host.
#[derive(Clone, Debug)]
pub struct Host {
    /// alpha, beta or gamma.
    pub name: &'static str,
    /// Where it listens.
    pub address: Ipv4Addr,
    /// What virsh calls it.
    pub uri: String,
    /// Where its daemon keeps its state.
    pub home: PathBuf,
}

/// What a host says of a VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Sight {
    /// The host does not answer; virsh's words.
    Silent(String),
    /// It has no such VM.
    Absent,
    /// It has a copy: libvirt's state and the reason for it.
    Copy(String, String),
}

impl Sight {
    /// Whether a copy executes.
    pub fn runs(&self) -> bool {
        matches!(self, Self::Copy(state, _) if state == "running")
    }

    /// Whether there is a QEMU.
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Copy(state, _) if state != "shut off")
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(words) => write!(formatter, "no answer ({words})"),
            Self::Absent => formatter.write_str("-"),
            Self::Copy(state, reason) => write!(formatter, "{state} ({reason})"),
        }
    }
}

impl Host {
    async fn run(&self, arguments: &[&str]) -> Result<Output> {
        let command = Command::new("virsh")
            .args(["--quiet", "--connect", &self.uri])
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = timeout(LIMIT, command).await;
        output.with_context(|| format!("virsh {arguments:?} on {} hangs", self.name))?.context("virsh can't be run")
    }

    /// Runs virsh, which has to succeed; its output.
    pub async fn virsh(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(arguments).await?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "virsh {arguments:?} on {}: {}", self.name, errors.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs virsh for what may not be there.
    pub async fn virsh_if_possible(&self, arguments: &[&str]) {
        // The caller looks at what came of it.
        let _ = self.run(arguments).await;
    }

    /// What it says of a VM.
    pub async fn look(&self, vm: &str) -> Sight {
        let output = match self.run(&["domstate", vm, "--reason"]).await {
            Ok(output) => output,
            Err(error) => return Sight::Silent(format!("{error:#}")),
        };
        let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        match text.trim().split_once(" (") {
            Some((state, reason)) => Sight::Copy(state.to_owned(), reason.trim_end_matches(')').to_owned()),
            None if errors.contains("failed to get domain") => Sight::Absent,
            None => Sight::Silent(errors.trim().replace('\n', " ")),
        }
    }

    /// The names of the VMs that execute on it; none if it does not answer.
    pub async fn running(&self) -> Vec<String> {
        let output = self.run(&["list", "--name", "--state-running"]).await;
        let names = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        names.lines().map(str::trim).filter(|name| !name.is_empty()).map(String::from).collect()
    }

    /// All it says of a copy, for a person: its job, and its CPU time.
    pub async fn describe(&self, vm: &str) -> String {
        let Sight::Copy(state, reason) = self.look(vm).await else {
            return format!("{}: {}", self.name, self.look(vm).await);
        };
        let job = self.run(&["domjobinfo", vm]).await;
        let job = job.map_or_else(|error| error.to_string(), |output| said(&output));
        format!("{}: {state} ({reason}); CPU ticks of its QEMU {:?}; job: {job}", self.name, self.qemu_cpu(vm))
    }

    /// The QEMU of a VM, if there is one.
    pub fn qemu(&self, vm: &str) -> Option<Pid> {
        let file = self.home.join("run/libvirt/qemu/run").join(format!("{vm}.pid"));
        let pid: i32 = fs::read_to_string(file).ok()?.trim().parse().ok()?;
        let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&command).contains("qemu").then(|| Pid::from_raw(pid))?
    }

    /// Sends the VM's QEMU a signal, if there is one.
    pub fn signal_qemu(&self, vm: &str, signal: Signal) {
        if let Some(pid) = self.qemu(vm) {
            // Fails if it has ended meanwhile.
            let _ = kill_process(pid, signal);
        }
    }

    /// How much CPU time the virtual CPU of a VM has used, in ticks of the system's clock.
    fn qemu_cpu(&self, vm: &str) -> Option<u64> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.qemu(vm)?.as_raw_pid())).ok()?;
        let cpu = |thread: &Path| {
            let line = fs::read_to_string(thread.join("stat")).ok()?;
            let (name, fields) = line.rsplit_once(") ")?;
            let used = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
            name.contains("CPU").then_some(used)
        };
        threads.flatten().find_map(|thread| cpu(&thread.path()))
    }
}

fn said(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&all).split_whitespace().collect::<Vec<_>>().join(" ")
}
