//! The conductor: one task that carries all open evacuations out, and alone changes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use model::{Evacuation, EvacuationId, EvacuationState, ItemState, MigrationId, VmId};
use tokio::{sync::mpsc, time::sleep};

use super::{
    Evacuations, Order,
    begin::Refusal,
    estimate::estimate,
    raise::Raised,
    settle::{Changes, Known, observe, settle},
};

/// How often all is looked at while an evacuation is open, and while none is: hosts that are empty are watched then.
const LOOK: Duration = Duration::from_millis(250);
const IDLE: Duration = Duration::from_secs(2);
/// How often the estimate is written down, though nothing else has changed, in ms.
const ESTIMATE_MS: u64 = 5_000;

/// Carries evacuations out until the engine stops.
pub(super) async fn run(
    evacuations: Arc<Evacuations>,
    open: Vec<Evacuation>,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut conductor = Conductor {
        open: open.into_iter().map(|one| (one.id, one)).collect(),
        beginning: BTreeSet::new(),
        refusals: BTreeMap::new(),
        unwritten: BTreeMap::new(),
        raised: Raised::default(),
        written_ms: 0,
        evacuations,
    };
    loop {
        let pause = if conductor.open.is_empty() { IDLE } else { LOOK };
        tokio::select! {
            Some(order) = orders.recv() => conductor.take(order).await,
            () = sleep(pause) => {}
        }
        while let Ok(order) = orders.try_recv() {
            conductor.take(order).await;
        }
        conductor.look().await;
    }
}

pub(super) struct Conductor {
    pub(super) evacuations: Arc<Evacuations>,
    pub(super) open: BTreeMap<EvacuationId, Evacuation>,
    /// Migrations that are being admitted.
    beginning: BTreeSet<MigrationId>,
    refusals: BTreeMap<MigrationId, Refusal>,
    /// What could not be written down yet. Nothing begins before it is.
    unwritten: BTreeMap<EvacuationId, Changes>,
    raised: Raised,
    /// When the estimates were last written down, in ms since 1970.
    written_ms: u64,
}

impl Conductor {
    async fn take(&mut self, order: Order) {
        match order {
            Order::Conduct(evacuation) => {
                self.open.insert(evacuation.id, *evacuation);
            }
            Order::Begun(migration) => {
                self.beginning.remove(&migration);
            }
            Order::Refused(refusal) => {
                self.beginning.remove(&refusal.migration);
                self.refusals.insert(refusal.migration, refusal);
            }
            Order::Tell { id, command, by, answer } => {
                let told = self.tell(id, command, &by).await;
                // Who asked may have left.
                let _ = answer.send(told);
            }
        }
    }

    /// Looks at everything once, and begins what can begin.
    async fn look(&mut self) {
        let ids: Vec<EvacuationId> = self.open.keys().copied().collect();
        for id in ids {
            self.look_at(id).await;
        }
        if self.unwritten.is_empty() {
            self.begin().await;
        }
        self.finish().await;
        let estimates_due = self.now_ms().saturating_sub(self.written_ms) >= ESTIMATE_MS;
        self.write(estimates_due).await;
        self.evacuations.look_at_hosts(&self.open).await;
    }

    async fn look_at(&mut self, id: EvacuationId) {
        let now_ms = self.now_ms();
        let Some(evacuation) = self.open.get(&id) else { return };
        let mut known = self.known(evacuation).await;
        let Some(evacuation) = self.open.get_mut(&id) else { return };
        let changes = self.unwritten.remove(&id).unwrap_or_default();
        let mut changes = changes;
        let moved_before = evacuation.count(|state| matches!(state, ItemState::Moved { .. }));
        settle(evacuation, &mut known, &mut changes, now_ms);
        observe(evacuation, &self.evacuations.context.inventory(), &mut changes, now_ms);
        if evacuation.state == EvacuationState::Running {
            self.evacuations.find_places(evacuation, &mut changes, now_ms);
            self.evacuations.act_on_choices(evacuation, &mut changes, now_ms).await;
        }
        estimate(evacuation, &self.evacuations.context.inventory(), now_ms);
        if evacuation.count(|state| matches!(state, ItemState::Moved { .. })) > moved_before {
            self.evacuations.ask_for_room(evacuation);
        }
        if !changes.is_empty() {
            self.unwritten.insert(id, changes);
        }
        self.write(false).await;
    }

    /// What is known of the migrations that items wait for.
    async fn known(&self, evacuation: &Evacuation) -> BTreeMap<MigrationId, Known> {
        let mut known = BTreeMap::new();
        for item in &evacuation.items {
            let ItemState::Moving { migration } = item.state else { continue };
            let record = self.evacuations.context.inventory().migration(migration).cloned();
            let what = match record {
                Some(record) => Known::Record(Box::new(record)),
                None if self.beginning.contains(&migration) => Known::Beginning,
                None => self.look_up(migration).await,
            };
            known.insert(migration, what);
        }
        known
    }

    /// Of a migration that the inventory does not have: it ended some time ago, was refused, or never began.
    async fn look_up(&self, migration: MigrationId) -> Known {
        if let Some(Refusal { destination, problem, .. }) = self.refusals.get(&migration) {
            let (destination, problem) = (destination.clone(), problem.clone());
            return Known::Refused(Refusal { migration, destination, problem });
        }
        match self.evacuations.context.store().migration(migration).await {
            Ok(Some(record)) => Known::Record(Box::new(record)),
            Ok(None) => Known::Never,
            // It is asked again.
            Err(_) => Known::Beginning,
        }
    }

    /// Begins what can begin, or else gives what moves more of the links. The intent is in the store before anything is asked of a host.
    async fn begin(&mut self) {
        let now_ms = self.now_ms();
        let (starts, raises) = self.evacuations.choose(&mut self.open, &self.raised, now_ms);
        self.evacuations.raise(raises, &mut self.raised);
        for start in &starts {
            let changes = self.unwritten.entry(start.evacuation).or_default();
            changes.items.insert(start.request.vm);
            self.beginning.insert(start.migration);
        }
        self.write(false).await;
        for start in starts {
            if self.unwritten.contains_key(&start.evacuation) {
                // It could not be written down: it waits again.
                self.beginning.remove(&start.migration);
                self.put_back(start.evacuation, start.request.vm);
            } else {
                self.evacuations.begin(start);
            }
        }
    }

    fn put_back(&mut self, id: EvacuationId, vm: VmId) {
        let item = self.open.get_mut(&id).and_then(|one| one.items.iter_mut().find(|item| item.vm == vm));
        if let Some(item) = item {
            item.state = ItemState::Waiting;
        }
    }

    /// Ends what has nothing left to do.
    async fn finish(&mut self) {
        let now_ms = self.now_ms();
        for (id, evacuation) in &mut self.open {
            let is_moving = evacuation.count(|state| matches!(state, ItemState::Moving { .. })) > 0;
            let next = match evacuation.state {
                EvacuationState::Stopping if !is_moving => EvacuationState::Stopped,
                EvacuationState::Running if evacuation.left() == 0 && evacuation.stuck() == 0 => EvacuationState::Done,
                _ => continue,
            };
            evacuation.state = next;
            evacuation.ended_at_ms = Some(now_ms);
            evacuation.left_ms = None;
            let changes = self.unwritten.entry(*id).or_default();
            changes.record = true;
            changes.tell(now_ms, format!("{}.", next.label()));
        }
        self.write(false).await;
        self.open.retain(|id, evacuation| !evacuation.state.has_ended() || self.unwritten.contains_key(id));
    }

    /// Writes down what has changed; `estimates` also where nothing else has.
    async fn write(&mut self, estimates: bool) {
        if estimates {
            self.written_ms = self.now_ms();
            for id in self.open.keys() {
                self.unwritten.entry(*id).or_default().record = true;
            }
        }
        for (id, changes) in std::mem::take(&mut self.unwritten) {
            let Some(evacuation) = self.open.get(&id) else { continue };
            let vms: Vec<VmId> = changes.items.iter().copied().collect();
            let written = self.evacuations.context.store().update_evacuation(evacuation, &vms, &changes.events).await;
            match written {
                Ok(()) => self.evacuations.show(evacuation),
                Err(error) => {
                    tracing::warn!(evacuation = %id, %error, "what became of an evacuation can't be written down");
                    self.unwritten.insert(id, changes);
                }
            }
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.evacuations.context.now_ms()
    }
}
