//! What is known before a migration: for one VM and one destination.

use serde::{Deserialize, Serialize};

use crate::{Finding, HostName, Severity};

/// Everything that is known about moving one VM to one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preflight {
    /// The host.
    pub destination: HostName,
    /// What was looked at, blockers first.
    pub findings: Vec<Finding>,
    /// What happens to each disk. Empty where the hosts could not be asked.
    pub disks: Vec<DiskPlan>,
    /// How long it will take; none of an offline move, or where nothing is known.
    pub prediction: Option<Prediction>,
}

impl Preflight {
    /// The worst there is.
    pub fn severity(&self) -> Severity {
        self.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok)
    }

    /// Findings of this severity.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.severity == severity)
    }
}

/// What happens to a disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskPlan {
    /// Its name in the guest, e.g. `vda`.
    pub target: String,
    /// Where it is now: a path, or what a network disk is called.
    pub source: String,
    /// Its size as the guest sees it, in bytes.
    pub capacity_bytes: u64,
    /// Whether it stays or is copied.
    pub treatment: Treatment,
}

/// Whether a disk stays or is copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// Both hosts see the same disk; nothing is copied.
    Shared {
        /// How that is known, in words.
        evidence: String,
    },
    /// It is copied.
    Copy {
        /// The destination pool.
        pool: String,
        /// What the new volume is called.
        volume: String,
        /// Other pools it could go to.
        other_pools: Vec<PoolChoice>,
    },
    /// It can do neither; a finding says why.
    Stuck,
}

/// A pool that a disk can be copied to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolChoice {
    /// Its name.
    pub pool: String,
    /// What is free in it, in bytes.
    pub available_bytes: u64,
}

/// How long a live migration will take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prediction {
    /// What the link is taken to carry, in bytes a second.
    pub throughput_bytes_s: u64,
    /// Whether that was measured on earlier moves to this host; else it is the bandwidth limit.
    pub measured: bool,
    /// What the guest writes to its memory, in bytes a second; none if nobody measured it.
    pub dirty_bytes_s: Option<u64>,
    /// When it will be over.
    pub ending: Ending,
}

/// When a live migration will be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Within this time.
    After {
        /// At least, in ms.
        low_ms: u64,
        /// At most, in ms.
        high_ms: u64,
        /// How long the VM pauses at most, in ms.
        pause_ms: u64,
    },
    /// Not by itself: the guest writes as fast as the link carries.
    Never {
        /// The pause that would let it finish, in ms.
        needed_pause_ms: u64,
    },
}
