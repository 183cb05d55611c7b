//! virsh, to define and start the VMs. (Not the crate `libvirt`: the demo has to work when that does not.)

use std::{ffi::OsStr, process::Stdio, time::Duration};

use tokio::{net::TcpStream, process::Command, time::sleep};

use crate::{
    DemoError,
    host::DemoHost,
    programs::{Programs, SEARCH_PATH},
};

/// Runs one virsh command on a host. `task` says for the error what was to be done.
pub(crate) async fn run<Argument: AsRef<OsStr>>(
    programs: &Programs,
    host: &DemoHost,
    task: &str,
    arguments: &[Argument],
) -> Result<(), DemoError> {
    let output = Command::new(&programs.virsh)
        .args(["--quiet", "--connect", &host.uri()])
        .args(arguments)
        .env_clear()
        .env("PATH", SEARCH_PATH)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(DemoError::io("run", &programs.virsh))?;
    if output.status.success() {
        return Ok(());
    }
    Err(DemoError::Virsh { task: task.into(), output: String::from_utf8_lossy(&output.stderr).into_owned() })
}

/// Returns when the host's daemon answers. Before it listens, there is nothing to ask; once it does, it answers when its
/// drivers are ready.
pub(crate) async fn answers(programs: &Programs, host: &DemoHost) -> Result<(), DemoError> {
    while TcpStream::connect((host.address, host.port)).await.is_err() {
        sleep(Duration::from_millis(20)).await;
    }
    run(programs, host, &format!("Asking host {} for its VMs", host.name), &["list"]).await
}
