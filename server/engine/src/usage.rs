//! What VMs used within the last hour: one question a host every few seconds, for as long as a VM of it is looked at.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use model::{HostName, UsagePoint, VmId};
use tokio::time::{Instant, sleep};

use crate::{context::Context, hypervisor::Usage, lock::lock};

/// Between two questions to a host.
const EVERY: Duration = Duration::from_secs(5);
/// How long a host is asked after the last look: a page that is loaded again goes on with what it showed.
const LINGER: Duration = Duration::from_secs(60);
/// How long figures are kept.
const KEPT: Duration = Duration::from_secs(3_600);
/// How many points that are at most.
const MOST_POINTS: usize = (KEPT.as_secs() / EVERY.as_secs()) as usize;

/// The figures of the VMs that are looked at, and of those beside them.
pub(crate) struct UsageHistory {
    context: Arc<Context>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Hosts that are asked, and when a VM of theirs was last looked at.
    asked: BTreeMap<HostName, Instant>,
    vms: BTreeMap<VmId, Series>,
}

struct Series {
    /// Where the VM was at the last answer, what its counters were, and when.
    last: (HostName, Usage, Instant),
    points: VecDeque<UsagePoint>,
}

impl UsageHistory {
    pub(crate) fn new(context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self { context, kept: Mutex::default() })
    }

    /// The figures of a VM, oldest first. Its host is asked from now on.
    pub(crate) fn look(self: &Arc<Self>, host: &HostName, vm: VmId) -> Vec<UsagePoint> {
        let mut kept = lock(&self.kept);
        if kept.asked.insert(host.clone(), Instant::now()).is_none() {
            let (history, host) = (Arc::clone(self), host.clone());
            self.context.tasks().spawn(async move { history.keep_asking(host).await });
        }
        kept.vms.get(&vm).map(|series| series.points.iter().copied().collect()).unwrap_or_default()
    }

    async fn keep_asking(&self, host: HostName) {
        loop {
            let connection = self.context.inventory().connection(&host);
            // A host that does not answer leaves a gap.
            if let Ok(connection) = connection
                && let Ok(answer) = connection.usage().await
            {
                self.take(&host, answer);
            }
            sleep(EVERY).await;
            let mut kept = lock(&self.kept);
            if kept.asked.get(&host).is_none_or(|looked| looked.elapsed() > LINGER) {
                kept.asked.remove(&host);
                return;
            }
        }
    }

    fn take(&self, host: &HostName, answer: Vec<Usage>) {
        let (now, at_ms) = (Instant::now(), self.context.now_ms());
        let mut kept = lock(&self.kept);
        for usage in answer {
            let last = (host.clone(), usage, now);
            match kept.vms.get_mut(&usage.vm) {
                Some(series) => series.add(last, at_ms),
                None => {
                    let points = VecDeque::from([point(None, &usage, at_ms)]);
                    kept.vms.insert(usage.vm, Series { last, points });
                }
            }
        }
        kept.vms.retain(|_, series| series.last.2.elapsed() < KEPT);
    }
}

impl Series {
    fn add(&mut self, last: (HostName, Usage, Instant), at_ms: u64) {
        let (host, usage, now) = &last;
        // Another host counts from 0.
        let before = (self.last.0 == *host).then_some((&self.last.1, *now - self.last.2));
        let oldest_ms = at_ms.saturating_sub(u64::try_from(KEPT.as_millis()).unwrap_or(u64::MAX));
        let point = point(before, usage, at_ms);
        self.last = last;
        while self.points.len() >= MOST_POINTS || self.points.front().is_some_and(|first| first.at_ms < oldest_ms) {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }
}

/// What was used since the answer before. A counter that fell has begun anew.
fn point(before: Option<(&Usage, Duration)>, now: &Usage, at_ms: u64) -> UsagePoint {
    let a_second = |counter: fn(&Usage) -> Option<u64>| {
        let (before, elapsed) = before.filter(|(_, elapsed)| !elapsed.is_zero())?;
        let grown = counter(now)?.checked_sub(counter(before)?)?;
        Some(grown as f64 / elapsed.as_secs_f64())
    };
    UsagePoint {
        at_ms,
        cpus: a_second(|usage| usage.cpu_time_ns).map(|ns| (ns / 1e9) as f32),
        memory_bytes: now.memory_bytes,
        disk_bytes_s: a_second(|usage| usage.disk_bytes).map(|bytes| bytes as u64),
        network_bytes_s: a_second(|usage| usage.network_bytes).map(|bytes| bytes as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(cpu_time_ns: u64, disk_bytes: u64) -> Usage {
        let vm = VmId(uuid::Uuid::nil());
        let (cpu_time_ns, disk_bytes) = (Some(cpu_time_ns), Some(disk_bytes));
        Usage { vm, cpu_time_ns, memory_bytes: Some(7), disk_bytes, network_bytes: None }
    }

    #[test]
    fn rates_are_of_the_time_between_two_answers() {
        let before = usage(1_000_000_000, 100);
        let now = point(Some((&before, Duration::from_secs(5))), &usage(8_500_000_000, 1_100), 9);
        let expected = UsagePoint {
            at_ms: 9,
            cpus: Some(1.5),
            memory_bytes: Some(7),
            disk_bytes_s: Some(200),
            network_bytes_s: None,
        };
        assert_eq!(now, expected);
    }

    #[test]
    fn a_counter_that_begins_anew_has_no_rate() {
        let before = usage(1_000, 100);
        let anew = point(Some((&before, Duration::from_secs(5))), &usage(10, 200), 9);
        assert_eq!((anew.cpus, anew.disk_bytes_s), (None, Some(20)));
        assert_eq!(point(None, &before, 9).cpus, None);
    }

    #[test]
    fn a_vm_that_has_moved_goes_on_without_a_wrong_rate() {
        let start = Instant::now();
        let host = |name: &str| name.parse::<HostName>().unwrap();
        let mut series = Series { last: (host("alpha"), usage(10, 0), start), points: VecDeque::new() };
        let later = |seconds| start + Duration::from_secs(seconds);
        series.add((host("beta"), usage(5_000_000_000, 0), later(5)), 5_000);
        series.add((host("beta"), usage(10_000_000_000, 0), later(10)), 10_000);
        let cpus: Vec<_> = series.points.iter().map(|point| point.cpus).collect();
        assert_eq!(cpus, [None, Some(1.0)]);
        series.add((host("beta"), usage(10_000_000_000, 0), later(3_612)), 3_612_000);
        assert_eq!(series.points.len(), 1, "no point is older than an hour");
    }
}
