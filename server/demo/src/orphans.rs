//! Reaps the QEMUs that ended.
//!
//! libvirt detaches every QEMU from itself, so that when one has ended it is up to the machine's init to reap it, and
//! libvirt waits for that before it calls the VM shut off. In containers init is often a program that never does or takes
//! seconds, and every migration would take that much longer. So the demo takes init's place for its descendants.

use std::fs;

use rustix::process::{Pid, WaitOptions, getpid, set_child_subreaper, waitpid};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::AbortOnDropHandle;

use crate::DemoError;

/// Makes this process the parent of all orphaned descendants, and reaps them until the handle is dropped.
pub(crate) fn adopt() -> Result<AbortOnDropHandle<()>, DemoError> {
    let myself = "this process";
    set_child_subreaper(Some(getpid())).map_err(|error| DemoError::io("adopt orphans in", myself)(error.into()))?;
    let mut ends = signal(SignalKind::child()).map_err(DemoError::io("watch the children of", myself))?;
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        while ends.recv().await.is_some() {
            for orphan in dead_orphans() {
                // Fails if another part of this process has reaped it.
                let _ = waitpid(Some(orphan), WaitOptions::NOHANG);
            }
        }
    })))
}

fn dead_orphans() -> Vec<Pid> {
    let ours = fs::read_to_string("/proc/self/stat").ok().and_then(|line| Status::read(&line));
    let (Ok(entries), Some(ours)) = (fs::read_dir("/proc"), ours) else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let status = Status::read(&fs::read_to_string(entry.path().join("stat")).ok()?)?;
            status.is_dead_orphan(getpid(), ours.session).then_some(pid)
        })
        .collect()
}

/// What a line of /proc/PID/stat says of a process.
struct Status {
    ended: bool,
    parent: i32,
    /// 0 if its leader is outside of our PID namespace, as in some containers.
    session: i32,
}

impl Status {
    fn read(line: &str) -> Option<Self> {
        // PID (name) state parent group session …; the name may have anything in it, also parentheses.
        let (_, fields) = line.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split(' ').take(4).collect();
        let [state, parent, _, session] = fields[..] else { return None };
        Some(Self { ended: state == "Z", parent: parent.parse().ok()?, session: session.parse().ok()? })
    }

    /// Whether it is an ended process which `parent` adopted. libvirt gives each QEMU a session of its own; the processes that
    /// we started ourselves share our session and are tokio's to reap.
    fn is_dead_orphan(&self, parent: Pid, session: i32) -> bool {
        self.ended && self.parent == parent.as_raw_pid() && self.session != session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_adopted_process_that_ended_is_reaped() {
        let ours = Pid::from_raw(100).unwrap();
        let dead = |line| Status::read(line).is_some_and(|status| status.is_dead_orphan(ours, 90));
        assert!(dead("300 (qemu-system-x86) Z 100 300 300 0 -1 4"));
        assert!(dead("300 (a) R 1 (b) Z 100 300 300 0 -1 4"));
        assert!(!dead("300 (qemu-system-x86) S 100 300 300 0 -1 4"), "still runs");
        assert!(!dead("300 (libvirtd) Z 100 300 90 0 -1 4"), "started by us");
        assert!(!dead("300 (qemu-system-x86) Z 1 300 300 0 -1 4"), "another process's");
        assert!(!dead(""));
        let outside = Status::read("7 (vmferry) S 0 0 0 0 -1 4").unwrap();
        assert_eq!(outside.session, 0, "the session's leader is outside of our PID namespace");
    }
}
