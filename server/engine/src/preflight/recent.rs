//! What preflights share: the source's answer while it is being asked for, and measured guests. Nothing that a host has said is kept:
//! whoever asks after a repair has to see it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use model::{HostName, Vm, VmId};
use tokio::{sync::OnceCell, time::Instant};

use super::ask::FromSource;
use crate::{
    error::Error,
    hypervisor::{DirtyCurve, HostError},
    lock::lock,
};

/// How long a measured guest counts: what it does changes.
const MEASURE_COUNTS: Duration = Duration::from_secs(10 * 60);

/// The source's answer, once it is there.
type Answer = OnceCell<Result<Arc<FromSource>, Error>>;

/// The source's answer, asked for once however many callers wait for it.
pub(super) type Flight = Arc<Answer>;

/// A VM, and the number of its host: another host may have the name by now.
type AtHost = (Vm, u64);

/// What a measurement found, once it is there: QEMU measures a guest once at a time.
pub(super) type Measurement = OnceCell<Result<Arc<DirtyCurve>, HostError>>;

/// What preflights share.
#[derive(Default)]
pub(crate) struct Recent {
    /// Kept by those who wait for them.
    flights: Mutex<BTreeMap<VmId, (AtHost, Weak<Answer>)>>,
    measurements: Mutex<BTreeMap<VmId, Weak<Measurement>>>,
    curves: Mutex<BTreeMap<VmId, (Instant, Arc<DirtyCurve>)>>,
    automatic: Mutex<Automatic>,
}

/// What is measured without having been asked for.
#[derive(Default)]
struct Automatic {
    /// The hosts on which a guest is being measured.
    hosts: BTreeSet<HostName>,
    /// When it was last tried: a guest that can't be measured is not measured with every look.
    tried: BTreeMap<VmId, Instant>,
}

/// The host's turn to have a guest measured. It ends when this is dropped.
pub(super) struct Turn {
    recent: Arc<Recent>,
    host: HostName,
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.recent.automatic).hosts.remove(&self.host);
    }
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

    /// The measurement of this guest that is under way, or a new one.
    pub(super) fn measurement(&self, vm: VmId) -> Arc<Measurement> {
        let mut measurements = lock(&self.measurements);
        measurements.retain(|_, known| known.upgrade().is_some_and(|known| !known.initialized()));
        if let Some(under_way) = measurements.get(&vm).and_then(Weak::upgrade) {
            return under_way;
        }
        let measurement = Arc::<Measurement>::default();
        measurements.insert(vm, Arc::downgrade(&measurement));
        measurement
    }

    /// What the guest changed of its memory when it was last measured.
    pub(super) fn curve(&self, vm: VmId) -> Option<Arc<DirtyCurve>> {
        let (at, curve) = lock(&self.curves).get(&vm)?.clone();
        (at.elapsed() < MEASURE_COUNTS).then_some(curve)
    }

    /// A guest was measured. Returns that together with what counts of it from before.
    pub(super) fn measured(&self, vm: VmId, curve: DirtyCurve) -> Arc<DirtyCurve> {
        let mut curves = lock(&self.curves);
        curves.retain(|_, (at, _)| at.elapsed() < MEASURE_COUNTS);
        let curve = Arc::new(match curves.get(&vm) {
            Some((_, earlier)) => curve.and(earlier),
            None => curve,
        });
        curves.insert(vm, (Instant::now(), Arc::clone(&curve)));
        curve
    }

    /// The turn to measure this guest unasked; none if it, or another one on its host, has had it.
    pub(super) fn turn(self: &Arc<Self>, vm: VmId, host: &HostName) -> Option<Turn> {
        let mut automatic = lock(&self.automatic);
        automatic.tried.retain(|_, at| at.elapsed() < MEASURE_COUNTS);
        if self.curve(vm).is_some() || automatic.tried.contains_key(&vm) || !automatic.hosts.insert(host.clone()) {
            return None;
        }
        automatic.tried.insert(vm, Instant::now());
        Some(Turn { recent: Arc::clone(self), host: host.clone() })
    }
}
