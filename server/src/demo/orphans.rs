//! Reaps the QEMUs that ended.
//!
//! libvirt detaches every QEMU from itself, so that when one has ended it is up to the machine's init to reap it, and
//! libvirt waits for that before it calls the VM shut off. In containers init is often a program that never does or takes
//! seconds, and every migration would take that much longer. So the demo takes init's place for its descendants.

use std::fs;

use rustix::process::{Pid, WaitOptions, getpid, getsid, set_child_subreaper, waitpid};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::AbortOnDropHandle;

use super::DemoError;

/// Makes this process the parent of all orphaned descendants, and reaps them until the handle is dropped.
pub(super) fn adopt() -> Result<AbortOnDropHandle<()>, DemoError> {
    let myself = "this process";
    set_child_subreaper(Some(getpid())).map_err(|error| DemoError::io("adopt orphans in", myself)(error.into()))?;
    let mut ends = signal(SignalKind::child()).map_err(DemoError::io("watch the children of", myself))?;
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        while ends.recv().await.is_some() {
            for orphan in dead_orphans() {
                // An error says that somebody else reaped it.
                let _ = waitpid(Some(orphan), WaitOptions::NOHANG);
            }
        }
    })))
}

fn dead_orphans() -> Vec<Pid> {
    let (Ok(entries), Ok(session)) = (fs::read_dir("/proc"), getsid(None)) else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let status = fs::read_to_string(entry.path().join("stat")).ok()?;
            is_dead_orphan(&status, getpid(), session).then_some(pid)
        })
        .collect()
}

/// Whether this line of /proc/PID/stat is that of an ended process which `parent` adopted. libvirt gives each QEMU a
/// session of its own; the processes that we started ourselves share our session and are tokio's to reap.
fn is_dead_orphan(status: &str, parent: Pid, session: Pid) -> bool {
    // PID (name) state parent group session …; the name may have anything in it, also parentheses.
    let Some((_, fields)) = status.rsplit_once(") ") else { return false };
    let mut fields = fields.split(' ');
    let state = fields.next();
    let mut number = |skip| fields.nth(skip).and_then(|field| Pid::from_raw(field.parse().ok()?));
    state == Some("Z") && number(0) == Some(parent) && number(1).is_some_and(|its| its != session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_adopted_process_that_ended_is_reaped() {
        let ours = Pid::from_raw(100).unwrap();
        let session = Pid::from_raw(90).unwrap();
        let dead = |status| is_dead_orphan(status, ours, session);
        assert!(dead("300 (qemu-system-x86) Z 100 300 300 0 -1 4"));
        assert!(dead("300 (a) R 1 (b) Z 100 300 300 0 -1 4"));
        assert!(!dead("300 (qemu-system-x86) S 100 300 300 0 -1 4"), "still runs");
        assert!(!dead("300 (libvirtd) Z 100 300 90 0 -1 4"), "started by us");
        assert!(!dead("300 (qemu-system-x86) Z 1 300 300 0 -1 4"), "somebody else's");
        assert!(!dead(""));
    }
}
