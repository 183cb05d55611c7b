//! Looks at all hosts while a run goes on: two copies that run in between are not missed because the end is well.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use futures::future::join_all;
use tokio::{task::JoinHandle, time::sleep};

use crate::host::{Host, Sight};

const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Two or more copies that executed at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubling {
    /// When that was first and last seen, in ms since 1970.
    pub first_ms: u64,
    pub last_ms: u64,
    /// What the hosts said at first.
    pub sights: Vec<Sight>,
}

impl Doubling {
    /// One that is seen now.
    pub fn now(sights: &[Sight]) -> Self {
        let now = now_ms();
        Self { first_ms: now, last_ms: now, sights: sights.to_vec() }
    }
}

/// Watches a VM until it is dropped.
pub struct Watch {
    seen: Arc<Mutex<Looks>>,
    task: JoinHandle<()>,
}

impl Watch {
    pub fn of(hosts: &[Host], vm: &'static str) -> Self {
        let (hosts, seen) = (hosts.to_vec(), Arc::new(Mutex::new(Looks::default())));
        let looks = seen.clone();
        let task = tokio::spawn(async move {
            loop {
                let sights = join_all(hosts.iter().map(|host| host.look(vm))).await;
                looks.lock().unwrap_or_else(PoisonError::into_inner).add(now_ms(), sights);
                sleep(LOOK_AGAIN).await;
            }
        });
        Self { seen, task }
    }

    /// What lasted for more than one look.
    pub fn doublings(&self) -> Vec<Doubling> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).doublings()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Default)]
struct Looks {
    all: Vec<Doubling>,
    /// Whether the last one of them goes on.
    goes_on: bool,
}

impl Looks {
    fn add(&mut self, at_ms: u64, sights: Vec<Sight>) {
        if sights.iter().filter(|sight| sight.runs()).count() > 1 {
            match self.all.last_mut().filter(|_| self.goes_on) {
                Some(last) => last.last_ms = at_ms,
                None => self.all.push(Doubling { first_ms: at_ms, last_ms: at_ms, sights }),
            }
            self.goes_on = true;
        } else if !sights.iter().any(|sight| matches!(sight, Sight::Silent(_))) {
            // Where a host does not answer, both may run on.
            self.goes_on = false;
        }
    }

    /// Hosts are not asked at the very same moment: what only one look says may never have been so.
    fn doublings(&self) -> Vec<Doubling> {
        self.all.iter().filter(|doubling| doubling.last_ms > doubling.first_ms).cloned().collect()
    }
}

/// Now, in ms since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs() -> Sight {
        Sight::Copy("running".to_owned(), "migrated".to_owned())
    }

    #[test]
    fn two_copies_that_run_for_two_looks_are_noted() {
        let mut looks = Looks::default();
        looks.add(1, vec![runs(), runs(), Sight::Absent]);
        assert_eq!(looks.doublings(), []);
        looks.add(2, vec![Sight::Silent(String::new()), runs(), Sight::Absent]);
        looks.add(3, vec![runs(), runs(), Sight::Absent]);
        looks.add(4, vec![Sight::Absent, runs(), Sight::Absent]);
        let noted = looks.doublings();
        assert_eq!((noted.len(), noted[0].first_ms, noted[0].last_ms), (1, 1, 3));
    }

    #[test]
    fn what_only_single_looks_say_is_not() {
        let mut looks = Looks::default();
        looks.add(1, vec![runs(), runs(), Sight::Absent]);
        looks.add(2, vec![Sight::Absent, runs(), Sight::Absent]);
        looks.add(3, vec![runs(), runs(), Sight::Absent]);
        assert_eq!(looks.doublings(), []);
    }
}
