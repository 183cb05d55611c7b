//! What is known before a migration: for one VM and one destination.

use serde::{Deserialize, Serialize};

use crate::{ControlFlow, Finding, FindingCode, HostName, Policy, Severity};

/// Everything that is known about moving one VM to one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preflight {
    /// The host.
    pub destination: HostName,
    /// What was looked at, blockers first.
    pub findings: Vec<Finding>,
    /// The control flow that the migration would have.
    #[serde(rename = "way")]
    pub control_flow: ControlFlow,
    /// Whether memory and disks would be encrypted in transit.
    pub encrypted: bool,
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

    /// Whether nothing that is known would make the migration fail.
    pub fn is_possible(&self) -> bool {
        self.severity() < Severity::Blocker
    }

    /// What there is to copy of disks, in bytes.
    pub fn copied_bytes(&self) -> u64 {
        self.disks
            .iter()
            .filter(|disk| matches!(disk.treatment, Treatment::Copy { .. }))
            .map(|disk| disk.capacity_bytes)
            .sum()
    }

    /// The place of a destination among others, the one to recommend first: what can't work is last; then as few risks and
    /// warnings as possible, what ends by itself, as little to copy, and as much free memory (`free_bytes`, in whole GiB: less is
    /// no difference).
    pub fn rank(&self, free_bytes: u64) -> [u64; 6] {
        const MOST_GIB: u64 = 1 << 20;
        let risks = self.findings.iter().filter(|finding| finding.consent).count() as u64;
        let warnings = self.of(Severity::Warning).count() as u64;
        let never_ends = self.prediction.is_some_and(|prediction| matches!(prediction.ending, Ending::Never { .. }));
        // Nothing goes by itself to a host that is emptied or worked on.
        let in_maintenance = |finding: &Finding| finding.code == FindingCode::Maintenance && finding.consent;
        let impossible = !self.is_possible() || self.findings.iter().any(in_maintenance);
        [
            impossible.into(),
            risks,
            warnings,
            never_ends.into(),
            self.copied_bytes(),
            MOST_GIB.saturating_sub(free_bytes >> 30),
        ]
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
        /// What is free in that pool, in bytes.
        #[serde(default)]
        available_bytes: u64,
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
    /// Whether the throughput was measured in earlier migrations to this host; else it is the bandwidth limit. Says nothing of the guest.
    pub throughput_measured: bool,
    /// What the guest writes to its memory, in bytes a second; none if it was not measured.
    pub dirty_bytes_s: Option<u64>,
    /// By how much of their time QEMU slows the guest's CPUs at first, where a policy slows it, in percent; none if it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slows_by_percent: Option<u8>,
    /// When it will be over with the policy that was chosen.
    pub ending: Ending,
    /// When it would be over with each policy, the most careful first.
    pub policies: [PolicyPrediction; 3],
}

/// When a live migration will be over with a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPrediction {
    /// The policy.
    pub policy: Policy,
    /// When it will be over.
    pub ending: Ending,
}

/// When a live migration will be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Within this time, from the request to the verdict, in four of five cases.
    After {
        /// At least, in ms.
        low_ms: u64,
        /// Most likely, in ms.
        likely_ms: u64,
        /// At most, in ms.
        high_ms: u64,
        /// How long the VM pauses at most, in ms.
        pause_ms: u64,
        /// How long it pauses most likely, in ms.
        likely_pause_ms: u64,
        /// What its CPUs keep of their time at the end, in percent: 100 if it is not slowed.
        guest_percent: u8,
        /// Whether it continues at the destination before all of its memory is there.
        post_copy: bool,
    },
    /// Not by itself: the guest writes as fast as the link carries.
    Never {
        /// The pause that would let it finish, in ms.
        needed_pause_ms: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preflight(findings: Vec<Finding>) -> Preflight {
        Preflight {
            destination: "beta".parse().unwrap(),
            findings,
            control_flow: ControlFlow::PeerToPeer,
            encrypted: false,
            disks: Vec::new(),
            prediction: None,
        }
    }

    fn copied(gigabytes: u64) -> DiskPlan {
        DiskPlan {
            target: "vda".into(),
            source: "/images/vda".into(),
            capacity_bytes: gigabytes << 30,
            treatment: Treatment::Copy {
                pool: "images".into(),
                volume: "vda".into(),
                available_bytes: 0,
                other_pools: Vec::new(),
            },
        }
    }

    #[test]
    fn the_worst_finding_counts() {
        let found = |severity| Finding::new(FindingCode::Cpu, severity, "");
        assert_eq!(preflight(Vec::new()).severity(), Severity::Ok);
        assert!(preflight(vec![found(Severity::Ok), found(Severity::Warning)]).is_possible());
        assert!(!preflight(vec![found(Severity::Ok), found(Severity::Blocker)]).is_possible());
    }

    #[test]
    fn the_best_destination_is_the_one_with_the_least_against_it() {
        let prediction = crate::examples::prediction(Ending::Never { needed_pause_ms: 1 });
        let worse_and_worse = [
            (preflight(Vec::new()), 2 << 30),
            (preflight(Vec::new()), 1 << 30),
            (Preflight { disks: vec![copied(1)], ..preflight(Vec::new()) }, 9),
            (Preflight { disks: vec![copied(2)], ..preflight(Vec::new()) }, 9),
            (Preflight { prediction: Some(prediction), ..preflight(Vec::new()) }, 9),
            (preflight(vec![Finding::warning(FindingCode::QemuVersion, "")]), 9),
            (preflight(vec![Finding::warning(FindingCode::Nvram, "").needs_consent()]), 9),
            (preflight(vec![Finding::blocker(FindingCode::Network, "")]), 9),
        ];
        let ranks: Vec<_> = worse_and_worse.iter().map(|(preflight, free)| preflight.rank(*free)).collect();
        assert!(ranks.is_sorted());
        assert_eq!(worse_and_worse[2].0.copied_bytes(), 1 << 30);
    }
}
