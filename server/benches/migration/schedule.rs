//! Each peer's published schedule, as a function of what the job's statistics say. All go
//! through the same calls of the engine's connection, so that they differ in the schedule only.
//!
//! Numbers are the peers' defaults, but for the longest pause: where it can be chosen it is [`LONGEST_PAUSE_MS`], as `balanced` allows.
//! What they say for each GiB is rounded up to whole GiB, as they do.

use std::time::Duration;

use engine::{Statistics, Throttle, Tuning};

use crate::kubevirt::{Detector, Ramp};

/// The longest pause that `balanced` allows, and all peers that can be told one, in ms.
pub(crate) const LONGEST_PAUSE_MS: u32 = 1_000;
/// QEMU's own values for slowing the guest (`cpu-throttle-initial`, `cpu-throttle-increment`).
const QEMU_THROTTLE: Throttle = Throttle { initial: 20, increment: 10 };

/// A schedule that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// `virsh migrate --live`.
    Virsh,
    /// The same with `--auto-converge`.
    AutoConverge,
    /// The same with `--postcopy --postcopy-after-precopy`.
    PostCopyAfterPrecopy,
    /// OpenStack Nova: `live_migration_downtime`, `_steps`, `_delay`.
    Nova,
    /// oVirt's "Minimal downtime", as vdsm's monitor carries it out.
    Ovirt,
    /// KubeVirt's VEP 291.
    KubevirtRamp,
    /// KubeVirt's VEP 248.
    KubevirtDetector,
    /// Proxmox VE.
    Proxmox,
}

impl Peer {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Virsh,
        Self::AutoConverge,
        Self::PostCopyAfterPrecopy,
        Self::Nova,
        Self::Ovirt,
        Self::KubevirtRamp,
        Self::KubevirtDetector,
        Self::Proxmox,
    ];

    /// Its name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Virsh => "virsh",
            Self::AutoConverge => "virsh, auto-converge",
            Self::PostCopyAfterPrecopy => "virsh, post-copy after pre-copy",
            Self::Nova => "Nova",
            Self::Ovirt => "oVirt, minimal downtime",
            Self::KubevirtRamp => "KubeVirt, ramp",
            Self::KubevirtDetector => "KubeVirt, stall detector",
            Self::Proxmox => "Proxmox VE",
        }
    }

    /// How it lets QEMU slow the guest.
    pub(crate) fn throttle(self) -> Option<Throttle> {
        matches!(self, Self::AutoConverge | Self::Ovirt).then_some(QEMU_THROTTLE)
    }

    /// Whether it switches to post-copy.
    pub(crate) fn post_copy(self) -> bool {
        self == Self::PostCopyAfterPrecopy
    }

    /// How often it looks.
    pub(crate) fn interval(self) -> Duration {
        Duration::from_millis(match self {
            // libvirt's events tell of each pass; this looks often enough.
            Self::PostCopyAfterPrecopy => 50,
            Self::Nova | Self::Virsh | Self::AutoConverge => 500,
            Self::KubevirtRamp | Self::KubevirtDetector => 400,
            Self::Ovirt => 10_000,
            Self::Proxmox => 1_000,
        })
    }

    /// A new migration by it.
    pub(crate) fn schedule(self) -> Box<dyn Schedule> {
        match self {
            Self::Virsh | Self::AutoConverge => Box::new(Nothing),
            Self::PostCopyAfterPrecopy => Box::new(AfterFirstPass(false)),
            Self::Nova => Box::new(Nova::default()),
            Self::Ovirt => Box::new(Ovirt::default()),
            Self::KubevirtRamp => Box::new(Ramp::default()),
            Self::KubevirtDetector => Box::new(Detector::default()),
            Self::Proxmox => Box::new(Proxmox::default()),
        }
    }
}

/// What a schedule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Changes the migration.
    Tune(Tuning),
    /// Stops it.
    Abort,
}

/// Lets QEMU pause the guest for so long.
pub(crate) fn allow(ms: u32) -> Option<Step> {
    Some(Step::Tune(Tuning::PauseLimit { ms }))
}

/// What one migration is steered by.
pub(crate) trait Schedule: Send {
    /// The pause that it allows from the beginning, in ms.
    fn first_pause_ms(&self) -> u32;

    /// What it does when it looks at the statistics, after this time.
    fn look(&mut self, elapsed: Duration, figures: &Statistics) -> Option<Step>;
}

/// virsh changes nothing; QEMU's own limit of the pause holds.
struct Nothing;

/// `--postcopy-after-precopy`: once the first pass is over.
struct AfterFirstPass(bool);

/// QEMU's `downtime-limit`.
const QEMU_PAUSE_MS: u32 = 300;

impl Schedule for Nothing {
    fn first_pause_ms(&self) -> u32 {
        QEMU_PAUSE_MS
    }

    fn look(&mut self, _: Duration, _: &Statistics) -> Option<Step> {
        None
    }
}

impl Schedule for AfterFirstPass {
    fn first_pause_ms(&self) -> u32 {
        QEMU_PAUSE_MS
    }

    fn look(&mut self, _: Duration, figures: &Statistics) -> Option<Step> {
        let is_due = figures.memory_pass >= 2 && !self.0;
        self.0 |= is_due;
        is_due.then_some(Step::Tune(Tuning::PostCopy))
    }
}

/// Nova: from a tenth to all of the longest pause in 10 steps, one every 75 s for each GiB (of at least 2); gives up after 800 s for
/// each GiB.
#[derive(Default)]
struct Nova {
    step: u32,
}

impl Nova {
    const STEPS: u32 = 10;
    const DELAY_S: u64 = 75 * 2;
    const TIMEOUT_S: u64 = 800 * 2;

    fn pause_ms(step: u32) -> u32 {
        let first = LONGEST_PAUSE_MS / Self::STEPS;
        first + (LONGEST_PAUSE_MS - first) / Self::STEPS * step
    }
}

impl Schedule for Nova {
    fn first_pause_ms(&self) -> u32 {
        Self::pause_ms(0)
    }

    fn look(&mut self, elapsed: Duration, _: &Statistics) -> Option<Step> {
        if elapsed.as_secs() >= Self::TIMEOUT_S {
            return Some(Step::Abort);
        }
        let due = (elapsed.as_secs() / Self::DELAY_S).min(Self::STEPS.into()) as u32;
        let is_due = due > self.step;
        self.step = due;
        if is_due { allow(Self::pause_ms(due)) } else { None }
    }
}

/// oVirt: 100 ms, and another pause each time that more passes than its limit have been seen, where a pass is a look that finds more left
/// than the look before; gives up after the last.
#[derive(Default)]
struct Ovirt {
    passes: u32,
    remaining: Option<u64>,
}

impl Ovirt {
    /// By the number of passes that have to be exceeded.
    const PAUSES: [(u32, u32); 5] = [(1, 150), (2, 200), (3, 300), (4, 400), (6, 500)];
    const LAST: u32 = 6;
}

impl Schedule for Ovirt {
    fn first_pause_ms(&self) -> u32 {
        100
    }

    fn look(&mut self, _: Duration, figures: &Statistics) -> Option<Step> {
        let left = figures.data_remaining;
        if self.remaining.replace(left).is_none_or(|before| left <= before) {
            return None;
        }
        self.passes += 1;
        let allowed = Self::PAUSES.iter().rev().find(|(limit, _)| self.passes > *limit);
        // The pause of the last limit is tried once before it gives up.
        if self.passes > Self::LAST + 1 { Some(Step::Abort) } else { allowed.and_then(|(_, ms)| allow(*ms)) }
    }
}

/// Proxmox: 100 ms, doubled each time that six looks have found more left than the look before, or nothing.
struct Proxmox {
    pause_ms: u32,
    counter: u32,
    remaining: Option<u64>,
}

impl Proxmox {
    const MOST_MS: u32 = 2_000_000;
}

impl Default for Proxmox {
    fn default() -> Self {
        Self { pause_ms: 100, counter: 0, remaining: None }
    }
}

impl Schedule for Proxmox {
    fn first_pause_ms(&self) -> u32 {
        self.pause_ms
    }

    fn look(&mut self, _: Duration, figures: &Statistics) -> Option<Step> {
        let left = figures.memory_remaining;
        let grew = self.remaining.replace(left).is_some_and(|before| left > before);
        self.counter += u32::from(grew || left == 0);
        if self.counter <= 5 {
            return None;
        }
        self.counter = 0;
        self.pause_ms = (2 * self.pause_ms).min(Self::MOST_MS);
        allow(self.pause_ms)
    }
}
