//! Privileged libvirt hosts for a test file, each in namespaces of its own, for what session mode lacks: networks, bridges,
//! mounts, firewalls, another QEMU. They are inside one more set of namespaces, the sandbox, which the kernel removes when the test
//! ends, so that nothing leaks out.
//!
//! The test runs inside the sandbox, too, and the hosts' addresses exist only there.

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

/// The tests of a file run side by side, but sandboxes are large and share a directory name.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
/// The environment variable with the sandbox's directory; set inside it only.
const SANDBOX: &str = "VMFERRY_LAB";
/// The sandbox's own address in the hosts' network (sandbox.sh).
pub const SANDBOX_ADDRESS: &str = "192.0.2.1";
/// The programs that the lab needs, and their packages.
const TOOLS: [(&str, &str); 5] = [
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("nft", "nftables"),
    ("libvirtd", "libvirt-daemon"),
    ("virsh", "libvirt-clients"),
];
/// Debian 12's QEMU 7.2, unpacked there by `xtask/prepare.sh test`.
const OLDER_QEMU: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/older-qemu");

/// Debian 12's libvirt 9.0, unpacked there by the same.
const OLDER_LIBVIRT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/older-libvirt");

/// OpenSSH's server, unpacked by `xtask/prepare.sh test` where it is not installed.
const SSH_SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/ssh-server");

/// The outcome of entering a sandbox.
pub enum Entry {
    /// This process runs inside the sandbox, and has to do the test.
    Inside(Sandbox),
    /// This process runs outside; the test ran in a sandbox and passed.
    Done,
    /// There can't be a sandbox; the reason was printed.
    Impossible,
}

/// The namespaces around the hosts.
pub struct Sandbox {
    /// A directory that all hosts see; removed at the end.
    dir: PathBuf,
}

impl Sandbox {
    /// Runs the test of this name again, in a sandbox. Call it first; panics if the test fails there.
    pub fn enter(test: &str) -> Entry {
        Self::enter_with(&["--exact", test, "--nocapture"], test)
    }

    /// Runs this program again with these arguments, in a sandbox. Call it first; panics if that fails there.
    pub fn enter_with<Argument: AsRef<OsStr>>(arguments: &[Argument], called: &str) -> Entry {
        if let Some(dir) = env::var_os(SANDBOX) {
            return Entry::Inside(Self { dir: dir.into() });
        }
        if let Err(reason) = possible() {
            pass_over(&format!("{called}, which needs privileged hosts: {reason}"));
            return Entry::Impossible;
        }
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = env::temp_dir().join(format!("vmferry-lab-{}", std::process::id()));
        fs::create_dir(&dir).expect("a directory can be made");
        let status = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare"])
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"])
            .args([script("sandbox.sh").as_os_str(), dir.as_os_str()])
            .arg(env::current_exe().expect("a test knows its file"))
            .args(arguments)
            .env(SANDBOX, &dir)
            .env("TMPDIR", &dir)
            .status();
        fs::remove_dir(&dir).expect("what was mounted on it is gone");
        assert!(status.expect("setpriv exists").success(), "{called} failed in its sandbox");
        Entry::Done
    }

    /// A directory that all hosts share, and say so (`shared_filesystems` in qemu.conf).
    pub fn shared(&self) -> PathBuf {
        self.dir.join("shared")
    }

    /// Starts two equal hosts at once.
    pub async fn start(&self) -> Lab {
        fs::create_dir(self.shared()).expect("the sandbox has one lab");
        let unpacked = Path::new(SSH_SERVER);
        let unpacked: &[&Path] = if unpacked.exists() { &[unpacked] } else { &[] };
        let (red, blue) = tokio::join!(
            LabHost::start(&self.dir, "red", 2, unpacked),
            LabHost::start(&self.dir, "blue", 3, unpacked),
        );
        Lab { red, blue }
    }

    /// Starts a third that equals the two of [`Self::start`].
    pub async fn start_third(&self) -> LabHost {
        let unpacked = Path::new(SSH_SERVER);
        let unpacked: &[&Path] = if unpacked.exists() { &[unpacked] } else { &[] };
        LabHost::start(&self.dir, "green", 5, unpacked).await
    }

    /// Starts two equal hosts with Debian 12's own libvirt and QEMU; none where they are not available.
    pub async fn start_older_pair(&self) -> Option<Lab> {
        let (libvirt, qemu) = (Path::new(OLDER_LIBVIRT), Path::new(OLDER_QEMU));
        if !libvirt.join("usr/sbin/libvirtd").exists() || !qemu.join("usr/bin/qemu-system-x86_64").exists() {
            pass_over(
                "trials with an older libvirt, which is not available here (on Debian 12 xtask/prepare.sh unpacks it)",
            );
            return None;
        }
        fs::create_dir(self.shared()).expect("the sandbox has one lab");
        let unpacked = &[libvirt, qemu];
        let (red, blue) = tokio::join!(
            LabHost::start(&self.dir, "red", 2, unpacked),
            LabHost::start(&self.dir, "blue", 3, unpacked),
        );
        Some(Lab { red, blue })
    }

    /// Starts one more, with an older QEMU; none where that QEMU is not available.
    pub async fn start_older(&self) -> Option<LabHost> {
        let qemu = Path::new(OLDER_QEMU);
        if !runs(qemu.join("usr/bin/qemu-system-x86_64"), &["--version"]) {
            pass_over(
                "trials with an older QEMU, which is not available here (on Debian 12 xtask/prepare.sh unpacks it)",
            );
            return None;
        }
        Some(LabHost::start(&self.dir, "old", 4, &[qemu]).await)
    }
}

/// Two hosts.
pub struct Lab {
    pub red: LabHost,
    pub blue: LabHost,
}

/// Checks whether a sandbox can be made; the error says why not.
fn possible() -> Result<(), String> {
    for (tool, package) in TOOLS {
        if !runs(tool, &["-V"]) {
            return Err(format!("{tool} is missing (package {package})"));
        }
    }
    // In a container root may lack the rights for it.
    let root = "mount -t sysfs sysfs /sys && mount -t tmpfs tmpfs /run && ip link add lab type bridge";
    if !runs("unshare", &["--mount", "--net", "--pid", "--fork", "--mount-proc", "sh", "-c", root]) {
        return Err("this user may not make namespaces, mounts and bridges; root may".to_owned());
    }
    Ok(())
}

/// Prints what is not tested. Not with a macro, whose output the test harness captures.
pub fn pass_over(what: &str) {
    let _ = writeln!(io::stderr(), "\nPASSED OVER: {what}\n");
}

fn runs<Argument: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: &[Argument]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab").join(name)
}
