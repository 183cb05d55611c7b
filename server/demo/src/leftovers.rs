//! The processes that belong to a demo's directory: found, and ended.
//!
//! Every daemon of a demo is started with a HOME inside the demo's directory, and libvirt gives the QEMUs it starts one
//! there too. Nothing else on the machine has such a HOME, so that is how a process is recognised, even when the demo
//! that started it was killed.

use std::{fs, path::Path, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::DemoError;

/// How long processes may take to end by themselves, and again after a kill.
const END_LIMIT: Duration = Duration::from_secs(5);
const POLL_PAUSE: Duration = Duration::from_millis(50);

/// Asks all processes of the directory to end, kills those that do not, and returns when none is left.
pub(crate) async fn end_all(dir: &Path) -> Result<(), DemoError> {
    for signal in [Signal::TERM, Signal::KILL] {
        let limit = Instant::now() + END_LIMIT;
        signal_all(dir, signal);
        while Instant::now() < limit {
            if count(dir) == 0 {
                return Ok(());
            }
            sleep(POLL_PAUSE).await;
        }
    }
    match count(dir) {
        0 => Ok(()),
        count => Err(DemoError::ProcessesStay { count, dir: dir.into() }),
    }
}

/// Kills all processes of the directory at once, without waiting.
pub(crate) fn kill_all(dir: &Path) {
    signal_all(dir, Signal::KILL);
}

/// How many processes of the directory there are.
pub(crate) fn count(dir: &Path) -> usize {
    processes(dir).len()
}

fn signal_all(dir: &Path, signal: Signal) {
    for process in processes(dir) {
        // Fails if the process has ended by itself meanwhile.
        let _ = kill_process(process, signal);
    }
}

fn processes(dir: &Path) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| fs::read(entry.path().join("environ")).is_ok_and(|environment| belongs(&environment, dir)))
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// Whether a process with this environment (as in /proc/PID/environ) has its HOME inside the directory.
fn belongs(environment: &[u8], dir: &Path) -> bool {
    let mark = [b"HOME=", dir.as_os_str().as_encoded_bytes(), b"/"].concat();
    environment.split(|&byte| byte == 0).any(|variable| variable.starts_with(&mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_home_inside_the_directory_counts() {
        let dir = Path::new("/tmp/demo");
        assert!(belongs(b"PATH=/bin\0HOME=/tmp/demo/alpha\0LANG=C\0", dir));
        assert!(!belongs(b"HOME=/tmp/demo\0", dir));
        assert!(!belongs(b"HOME=/tmp/demo-2/alpha\0", dir));
        assert!(!belongs(b"PATH=/bin\0HOME=/home/ann\0PWD=/tmp/demo/alpha\0", dir));
        assert!(!belongs(b"OLD_HOME=/tmp/demo/alpha\0", dir));
        assert!(!belongs(b"", dir));
    }
}
