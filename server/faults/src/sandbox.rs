//! A bed's own process: as root in namespaces of its own, so that it has the machine's addresses to itself, may cut links and
//! fill file systems, and leaves no process and no mount behind, however it ends.

use std::{env, path::Path, process::Stdio};

use anyhow::{Context, Result};
use rustix::process::geteuid;
use tokio::process::{Child, Command};

/// What the first process in the namespaces does: it is their init, and reaps what libvirt's daemons leave behind. The bed runs in
/// a new session, because the terminal's has no number in there.
const INIT: &str = r#"
set -e
ip link set lo up
mkdir -p "$1"
mount -t tmpfs tmpfs "$1"
shift
exec 3<&0
setsid --wait "$@" <&3 3<&- &
wait $!
"#;

/// Whether beds get namespaces here.
pub fn is_possible() -> bool {
    geteuid().is_root()
}

/// Starts this program once more, as the bed with this directory; `arguments` tell it so. It reads the numbers of runs from its
/// standard input, and writes what came of them to its standard output.
pub fn start(directory: &Path, arguments: &[String]) -> Result<Child> {
    let own = env::current_exe().context("this program's own path")?;
    let mut command = if is_possible() {
        let mut command = Command::new("setpriv");
        command
            .args([
                "--pdeathsig",
                "KILL",
                "unshare",
                "--mount",
                "--net",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
            ])
            .args(["bash", "-c", INIT, "bed"])
            .arg(directory)
            .arg(own);
        command
    } else {
        Command::new(own)
    };
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(is_possible());
    command.spawn().context("the bed's process can't be started")
}
