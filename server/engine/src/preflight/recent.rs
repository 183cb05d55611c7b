//! What preflights share: the source's answer while it is being asked for, and measured guests. Nothing that a host has said is kept:
//! whoever asks after a repair has to see it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use model::{Vm, VmId};
use tokio::{sync::OnceCell, time::Instant};

use super::ask::FromSource;
use crate::{error::Error, lock::lock};

/// How long a measured guest counts: what it does changes.
const MEASURE_COUNTS: Duration = Duration::from_secs(10 * 60);

/// The source's answer, once it is there.
type Answer = OnceCell<Result<Arc<FromSource>, Error>>;

/// The source's answer, asked for once however many callers wait for it.
pub(super) type Flight = Arc<Answer>;

/// A VM, and the number of its host: another host may have the name by now.
type AtHost = (Vm, u64);

/// What preflights share.
#[derive(Default)]
pub(crate) struct Recent {
    /// Kept by those who wait for them.
    flights: Mutex<BTreeMap<VmId, (AtHost, Weak<Answer>)>>,
    dirty_rates: Mutex<BTreeMap<VmId, (Instant, u64)>>,
}

impl Recent {
    /// The question to the VM's host that is under way, or a new one.
    pub(super) fn flight(&self, vm: &Vm, host_number: u64) -> Flight {
        let asked = (vm.clone(), host_number);
        let mut flights = lock(&self.flights);
        flights.retain(|_, (_, flight)| flight.upgrade().is_some_and(|flight| !flight.initialized()));
        let under_way = flights.get(&vm.id).filter(|(known, _)| *known == asked);
        if let Some(flight) = under_way.and_then(|(_, flight)| flight.upgrade()) {
            return flight;
        }
        let flight = Flight::default();
        flights.insert(vm.id, (asked, Arc::downgrade(&flight)));
        flight
    }

    /// What the guest wrote to its memory when it was last measured, in bytes a second.
    pub(super) fn dirty_rate(&self, vm: VmId) -> Option<u64> {
        let (at, rate) = *lock(&self.dirty_rates).get(&vm)?;
        (at.elapsed() < MEASURE_COUNTS).then_some(rate)
    }

    /// A guest was measured.
    pub(super) fn measured(&self, vm: VmId, rate: u64) {
        let mut rates = lock(&self.dirty_rates);
        rates.retain(|_, (at, _)| at.elapsed() < MEASURE_COUNTS);
        rates.insert(vm, (Instant::now(), rate));
    }
}
