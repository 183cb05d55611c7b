//! Asking all hosts where a VM is, again and again, and what can be made of how long their answers have been the same.

use std::time::Duration;

use futures::future::join_all;
use model::{HostName, Migration};
use tokio::time::Instant;

use super::{
    active::ActiveMigration,
    verdict::{Answer, Others, Verdict},
};
use crate::{
    hypervisor::{Presence, StateReason},
    limits,
    storage::StorageJournal as _,
};

/// How long that the VM runs nowhere, or is left paused, must last: the hosts are not asked at the very same moment, and each is in
/// between for a while.
const CERTAIN: Duration = Duration::from_secs(5);
/// The same for two copies that run: no host shows that in passing, and disks may be at stake.
const TWICE: Duration = Duration::from_secs(2);
/// The same for a copy that still receives what is not sent any more: libvirt removes it itself, if it can.
const RECEIVING: Duration = Duration::from_secs(15);
/// A QEMU that stands still uses less than this of a CPU, in %: it only looks after its connections.
const IDLE_PERCENT: u128 = 2;

/// What a host says of its copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) answer: Answer,
    /// What its QEMU has used of the host's CPUs so far, in ns, if that is known.
    pub(super) cpu_time_ns: Option<u64>,
}

impl Look {
    pub(super) const UNKNOWN: Self =
        Self { answer: Answer { presence: Presence::Unknown, reason: StateReason::Other }, cpu_time_ns: None };

    pub(super) fn presence(self) -> Presence {
        self.answer.presence
    }
}

/// What source and destination say.
pub(super) async fn ask_both(active: &ActiveMigration) -> [Look; 2] {
    let Migration { source, destination, .. } = active.record();
    let (source, destination) = tokio::join!(active.look_at(source), active.look_at(destination));
    [source, destination]
}

/// What all other hosts say, each by its name.
pub(super) async fn ask_others(active: &ActiveMigration) -> Vec<(HostName, Presence)> {
    let Migration { source, destination, .. } = active.record();
    let others: Vec<HostName> = {
        let inventory = active.context().inventory();
        let names = inventory.hosts().map(|entry| &entry.config.name);
        names.filter(|name| *name != source && *name != destination).cloned().collect()
    };
    let ask = |host: HostName| async move {
        let presence = active.look_at(&host).await.presence();
        (host, presence)
    };
    join_all(others.into_iter().map(ask)).await
}

/// What that comes to.
pub(super) fn worst(others: &[(HostName, Presence)]) -> Others {
    others.iter().map(|(_, presence)| judge(*presence)).max().unwrap_or(Others::Without)
}

/// The first of the other hosts that says this.
pub(super) fn first_that(others: &[(HostName, Presence)], says: Others) -> Option<&HostName> {
    others.iter().find(|(_, presence)| judge(*presence) == says).map(|(host, _)| host)
}

/// All of the other hosts that say this.
pub(super) fn all_that(others: &[(HostName, Presence)], says: Others) -> Vec<HostName> {
    others.iter().filter(|(_, presence)| judge(*presence) == says).map(|(host, _)| host.clone()).collect()
}

fn judge(presence: Presence) -> Others {
    match presence {
        Presence::Absent | Presence::Inactive => Others::Without,
        Presence::Unknown => Others::Silent,
        Presence::Incoming | Presence::Sending | Presence::Outgoing => Others::Moving,
        Presence::Abandoned { .. } | Presence::Half | Presence::Active => Others::Have,
    }
}

/// The questions so far.
pub(super) struct Inquiry {
    /// Since when the same hosts answer.
    lasts: Instant,
    /// The same, or when the wait was last without a limit.
    begun: Instant,
    answering: [bool; 2],
    /// What was made of it last, and since when.
    verdict: Verdict,
    since: Instant,
    /// What the QEMU of a paused copy at the destination had used of the CPUs when it was first seen, and when that was.
    stands: Option<(u64, Instant)>,
}

impl Inquiry {
    pub(super) fn begin() -> Self {
        let now = Instant::now();
        Self { lasts: now, begun: now, answering: [true; 2], verdict: Verdict::Undecided, since: now, stands: None }
    }

    pub(super) fn heard(&mut self, looks: [Look; 2]) {
        let answering = looks.map(|look| look.presence() != Presence::Unknown);
        if answering != self.answering {
            (self.answering, self.lasts) = (answering, Instant::now());
            self.extend();
        }
        let [_, destination] = looks;
        self.stands = match (destination.presence(), destination.cpu_time_ns) {
            (Presence::Abandoned { .. }, Some(used)) => self.stands.or_else(|| Some((used, Instant::now()))),
            _ => None,
        };
    }

    /// Whether the guest of a paused copy at the destination executes all the same. Also where that is not known.
    pub(super) fn may_execute(&self, destination: Look) -> bool {
        let (Presence::Abandoned { .. }, Some((first, since))) = (destination.presence(), self.stands) else {
            return destination.presence() != Presence::Incoming;
        };
        let used = u128::from(destination.cpu_time_ns.unwrap_or(u64::MAX).saturating_sub(first));
        // libvirt counts in hundredths of a second.
        used > since.elapsed().as_nanos() * IDLE_PERCENT / 100 + 20_000_000
    }

    pub(super) fn judged(&mut self, verdict: Verdict) {
        if verdict != self.verdict {
            (self.verdict, self.since) = (verdict, Instant::now());
        }
    }

    /// Since when the same hosts answer.
    pub(super) fn lasts(&self) -> Duration {
        self.lasts.elapsed()
    }

    /// The limit counts from now on.
    pub(super) fn extend(&mut self) {
        self.begun = Instant::now();
    }

    /// Whether what was made of the answers has lasted for long enough.
    pub(super) fn is_certain(&self, [_, destination]: [Look; 2]) -> bool {
        let needed = match self.verdict {
            Verdict::Both => TWICE,
            Verdict::ToRemove if destination.presence() == Presence::Incoming => RECEIVING,
            _ => CERTAIN,
        };
        self.since.elapsed() > needed
    }

    /// Whether it has gone on for long enough.
    pub(super) fn is_over(&self, looks: [Look; 2]) -> bool {
        let limit = match looks.map(Look::presence) {
            // It stays paused until it is known whether it runs there.
            [Presence::Abandoned { .. }, Presence::Unknown] => return false,
            // Another program's affair, as long as that takes.
            [Presence::Sending, _] => return false,
            [Presence::Unknown, destination] if destination != Presence::Active => limits::SILENT,
            _ => limits::AGREEING,
        };
        self.begun.elapsed() > limit
    }
}
