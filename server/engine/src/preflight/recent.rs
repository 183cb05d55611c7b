//! What was found lately, so that asking again costs nothing: answers of hosts, preflights, measured guests.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use model::{Host, HostName, MigrationOptions, Preflight, Vm, VmId};
use tokio::{sync::OnceCell, time::Instant};

use super::ask::FromSource;
use crate::{error::Error, lock::lock};

/// How long an answer counts, if nothing that the console knows of has changed meanwhile.
const ANSWER_COUNTS: Duration = Duration::from_secs(5);
/// How long a measured guest counts: what it does changes.
const MEASURE_COUNTS: Duration = Duration::from_secs(10 * 60);

/// The source's answer, asked for once however many callers wait for it.
pub(super) type Flight = Arc<OnceCell<Result<Arc<FromSource>, Error>>>;

/// A VM, and the number of its host.
type AtHost = (Vm, u64);

/// What was found lately.
#[derive(Default)]
pub(crate) struct Recent {
    flights: Mutex<BTreeMap<VmId, Aged<AtHost, Flight>>>,
    preflights: Mutex<BTreeMap<(VmId, HostName), Aged<Seen, Preflight>>>,
    dirty_rates: Mutex<BTreeMap<VmId, (Instant, u64)>>,
}

/// What the console knew when it asked; an answer counts only while that is still so.
#[derive(Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) vm: Vm,
    pub(super) destination: Host,
    /// The numbers of both hosts: another host may have the name by now.
    pub(super) numbers: [u64; 2],
    pub(super) options: MigrationOptions,
}

struct Aged<S, T> {
    at: Instant,
    seen: S,
    answer: T,
}

impl<S: PartialEq, T> Aged<S, T> {
    fn new(seen: S, answer: T) -> Self {
        Self { at: Instant::now(), seen, answer }
    }

    fn is_young(&self) -> bool {
        self.at.elapsed() < ANSWER_COUNTS
    }

    fn counts(&self, seen: &S) -> bool {
        self.is_young() && self.seen == *seen
    }
}

impl Recent {
    /// The question to the VM's host that is under way or was just answered, or a new one.
    pub(super) fn flight(&self, vm: &Vm, host_number: u64) -> Flight {
        let seen = (vm.clone(), host_number);
        let mut flights = lock(&self.flights);
        flights.retain(|_, flight| flight.is_young());
        match flights.get(&vm.id) {
            Some(flight) if flight.counts(&seen) => Arc::clone(&flight.answer),
            _ => {
                let flight = Flight::default();
                flights.insert(vm.id, Aged::new(seen, Arc::clone(&flight)));
                flight
            }
        }
    }

    /// A question that failed: whoever asks from now on asks anew.
    pub(super) fn forget(&self, vm: VmId, failed: &Flight) {
        let mut flights = lock(&self.flights);
        if flights.get(&vm).is_some_and(|flight| Arc::ptr_eq(&flight.answer, failed)) {
            flights.remove(&vm);
        }
    }

    /// The preflight that was just made, if nothing changed since.
    pub(super) fn preflight(&self, seen: &Seen) -> Option<Preflight> {
        let preflights = lock(&self.preflights);
        let kept = preflights.get(&(seen.vm.id, seen.destination.name.clone()))?;
        kept.counts(seen).then(|| kept.answer.clone())
    }

    pub(super) fn keep(&self, seen: Seen, preflight: Preflight) {
        let mut preflights = lock(&self.preflights);
        preflights.retain(|_, kept| kept.is_young());
        preflights.insert((seen.vm.id, seen.destination.name.clone()), Aged::new(seen, preflight));
    }

    /// What the guest wrote to its memory when it was last measured, in bytes a second.
    pub(super) fn dirty_rate(&self, vm: VmId) -> Option<u64> {
        let (at, rate) = *lock(&self.dirty_rates).get(&vm)?;
        (at.elapsed() < MEASURE_COUNTS).then_some(rate)
    }

    /// A guest was measured: predictions made before are out of date.
    pub(super) fn measured(&self, vm: VmId, rate: u64) {
        let mut rates = lock(&self.dirty_rates);
        rates.retain(|_, (at, _)| at.elapsed() < MEASURE_COUNTS);
        rates.insert(vm, (Instant::now(), rate));
        lock(&self.preflights).retain(|(of, _), _| *of != vm);
    }
}
