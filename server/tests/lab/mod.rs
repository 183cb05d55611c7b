//! Privileged libvirt hosts for a test file, each in namespaces of its own, for what session mode can't have: networks,
//! bridges, mounts, firewalls, another QEMU. All of it is inside one more set of namespaces, the world, which the kernel takes
//! away when the test ends, so that nothing of it is ever seen outside.
//!
//! The test runs inside the world, too, and the hosts' addresses exist only there.

#![allow(dead_code, unused_imports, reason = "every test file uses its own part of this")]

mod host;
mod sshd;
mod traffic;

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

pub use host::LabHost;
pub use traffic::Capture;

/// The tests of a file run side by side, but worlds are large, and share a name.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
/// Set inside the world: its directory.
const WORLD: &str = "VMFERRY_LAB";
/// The world's own address in the hosts' network (world.sh).
pub const WORLDS_OWN_ADDRESS: &str = "192.0.2.1";
/// What the world is made with: program, and the package that has it.
const TOOLS: [(&str, &str); 5] = [
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("nft", "nftables"),
    ("libvirtd", "libvirt-daemon"),
    ("virsh", "libvirt-clients"),
];
/// QEMU 7.2, unpacked by `xtask/prepare.sh test` on Debian 12, whose own it is.
const OLDER_QEMU: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/older-qemu");

/// OpenSSH's server, unpacked by the same where it is not installed.
const SSH_SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/ssh-server");

/// Where a test finds itself.
pub enum Place {
    /// In the world: this is the run that counts.
    Inside(World),
    /// Outside; the test ran in a world and passed.
    Done,
    /// Outside, and there can't be a world; why was said.
    Impossible,
}

/// The namespaces around the hosts.
pub struct World {
    /// All hosts see this directory; it is gone at the end.
    dir: PathBuf,
}

impl World {
    /// Runs the test of this name again, in a world. Call it first; panics if the test fails there.
    pub fn enter(test: &str) -> Place {
        if let Some(dir) = env::var_os(WORLD) {
            return Place::Inside(Self { dir: dir.into() });
        }
        if let Err(reason) = possible() {
            pass_over(&format!("{test}, where it needs privileged hosts, as there can be none here: {reason}"));
            return Place::Impossible;
        }
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = env::temp_dir().join(format!("vmferry-lab-{}", std::process::id()));
        fs::create_dir(&dir).expect("a directory can be made");
        let status = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare"])
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"])
            .args([script("world.sh").as_os_str(), dir.as_os_str()])
            .arg(env::current_exe().expect("a test knows its file"))
            .args(["--exact", test, "--nocapture"])
            .env(WORLD, &dir)
            .env("TMPDIR", &dir)
            .status();
        fs::remove_dir(&dir).expect("what was mounted on it is gone");
        assert!(status.expect("setpriv exists").success(), "{test} failed in its world");
        Place::Done
    }

    /// A directory that all hosts share, and say so (`shared_filesystems` in qemu.conf).
    pub fn shared(&self) -> PathBuf {
        self.dir.join("shared")
    }

    /// Starts two hosts that are alike, at once.
    pub async fn start(&self) -> Lab {
        fs::create_dir(self.shared()).expect("the world has one lab");
        let unpacked = Path::new(SSH_SERVER);
        let unpacked: &[&Path] = if unpacked.exists() { &[unpacked] } else { &[] };
        let (red, blue) = tokio::join!(
            LabHost::start(&self.dir, "red", 2, unpacked),
            LabHost::start(&self.dir, "blue", 3, unpacked),
        );
        Lab { red, blue }
    }

    /// Starts one more with an older QEMU; none where there is no such.
    pub async fn start_older(&self) -> Option<LabHost> {
        let qemu = Path::new(OLDER_QEMU);
        if !runs(qemu.join("usr/bin/qemu-system-x86_64"), &["--version"]) {
            pass_over(
                "what needs a host with an older QEMU: there is none here (xtask/prepare.sh brings it on Debian 12)",
            );
            return None;
        }
        Some(LabHost::start(&self.dir, "old", 4, &[qemu]).await)
    }
}

/// The hosts.
pub struct Lab {
    pub red: LabHost,
    pub blue: LabHost,
}

/// Why there can't be a world here, if so.
fn possible() -> Result<(), String> {
    for (tool, package) in TOOLS {
        if !runs(tool, &["-V"]) {
            return Err(format!("{tool} is missing (package {package})"));
        }
    }
    // In a container root may lack the rights for it.
    let root = "mount -t sysfs sysfs /sys && mount -t tmpfs tmpfs /run && ip link add lab type bridge";
    if !runs("unshare", &["--mount", "--net", "--pid", "--fork", "--mount-proc", "sh", "-c", root]) {
        return Err("this user may not make namespaces, mounts and bridges: root may".to_owned());
    }
    Ok(())
}

/// Says loudly what is not tested. Not by a macro: the test harness would keep that to itself.
pub fn pass_over(what: &str) {
    let _ = writeln!(io::stderr(), "\nPASSED OVER: {what}\n");
}

fn runs<Argument: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: &[Argument]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab").join(name)
}
