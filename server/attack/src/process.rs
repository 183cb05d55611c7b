//! What a process uses, as the kernel says.

use std::{
    fmt, fs, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{task::JoinHandle, time::sleep};

const EVERY: Duration = Duration::from_millis(200);

/// What a process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory, in MiB.
    pub memory_mib: u64,
    /// Threads.
    pub threads: u64,
    /// Open files and sockets.
    pub files: u64,
}

impl Usage {
    /// Of this process, now.
    ///
    /// # Errors
    /// If it has ended.
    pub fn of(pid: u32) -> io::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let number = |key: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
            value.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default()
        };
        let kib: u64 = number("VmRSS:");
        let files = fs::read_dir(format!("/proc/{pid}/fd"))?.count();
        Ok(Self { memory_mib: kib / 1024, threads: number("Threads:"), files: files as u64 })
    }

    fn most(self, other: Self) -> Self {
        Self {
            memory_mib: self.memory_mib.max(other.memory_mib),
            threads: self.threads.max(other.threads),
            files: self.files.max(other.files),
        }
    }

    /// Whether this is near what was used before: within 64 MiB, for what allocators keep, and a few threads and files.
    pub fn is_near(self, before: Self) -> bool {
        self.memory_mib <= before.memory_mib + 64
            && self.threads <= before.threads + 6
            && self.files <= before.files + 10
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory_mib, threads, files } = self;
        write!(formatter, "{memory_mib:>5} MiB {threads:>4} threads {files:>5} files")
    }
}

/// Looks at a process again and again, until it is dropped.
pub struct Watch {
    peak: Arc<Mutex<Usage>>,
    looking: JoinHandle<()>,
}

impl Watch {
    /// Begins to look.
    pub fn start(pid: u32) -> Self {
        let peak: Arc<Mutex<Usage>> = Arc::default();
        let written = Arc::clone(&peak);
        let looking = tokio::spawn(async move {
            while let Ok(usage) = Usage::of(pid) {
                {
                    let mut peak = written.lock().unwrap_or_else(PoisonError::into_inner);
                    *peak = peak.most(usage);
                }
                sleep(EVERY).await;
            }
        });
        Self { peak, looking }
    }

    /// The most of each that the process has used.
    pub fn peak(&self) -> Usage {
        *self.peak.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.looking.abort();
    }
}
