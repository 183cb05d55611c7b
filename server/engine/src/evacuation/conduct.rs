//! The conductor: one task that carries all open evacuations out, and alone changes them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use model::{
    Choice, Code, Evacuation, EvacuationCommand, EvacuationId, EvacuationState, ItemState, MigrationId, Problem,
    Subject, VmAction, VmId, VmState,
};
use tokio::{sync::mpsc, time::sleep};

use super::{
    Evacuations, Order,
    begin::Refusal,
    estimate::estimate,
    settle::{Changes, Known, observe, settle},
    wording,
};
use crate::error::Error;

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

struct Conductor {
    evacuations: Arc<Evacuations>,
    open: BTreeMap<EvacuationId, Evacuation>,
    /// Migrations that are being admitted.
    beginning: BTreeSet<MigrationId>,
    refusals: BTreeMap<MigrationId, Refusal>,
    /// What could not be written down yet. Nothing begins before it is.
    unwritten: BTreeMap<EvacuationId, Changes>,
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

    /// Begins what can begin. The intent is in the store before anything is asked of a host.
    async fn begin(&mut self) {
        let now_ms = self.now_ms();
        let starts = self.evacuations.choose(&mut self.open, now_ms);
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

    async fn tell(&mut self, id: EvacuationId, command: EvacuationCommand, by: &str) -> Result<Evacuation, Error> {
        let now_ms = self.now_ms();
        let Some(evacuation) = self.open.get_mut(&id) else { return Err(wording::unknown(id)) };
        let before = evacuation.clone();
        let mut changes = Changes { record: true, ..Changes::default() };
        apply(evacuation, &command, by, &mut changes, now_ms)?;
        let vms: Vec<VmId> = changes.items.iter().copied().collect();
        let written = self.evacuations.context.store().update_evacuation(evacuation, &vms, &changes.events).await;
        if let Err(error) = written {
            *evacuation = before;
            return Err(error.into());
        }
        let evacuation = evacuation.clone();
        self.evacuations.show(&evacuation);
        if command == (EvacuationCommand::Stop { cancel: true }) {
            self.evacuations.cancel_all(&evacuation, by).await;
        }
        Ok(evacuation)
    }

    fn now_ms(&self) -> u64 {
        self.evacuations.context.now_ms()
    }
}

/// Does to the record what a person has asked for.
fn apply(
    evacuation: &mut Evacuation,
    command: &EvacuationCommand,
    by: &str,
    changes: &mut Changes,
    now_ms: u64,
) -> Result<(), Error> {
    use EvacuationState::{Paused, Running, Stopping};
    let refused = |sentence: &str| Err(wording::known(Problem::new(Code::WrongState, sentence)));
    match (command, evacuation.state) {
        (EvacuationCommand::Pause, Running) => {
            evacuation.state = Paused;
            changes.tell(now_ms, format!("{by} paused it."));
        }
        (EvacuationCommand::Continue, Paused) => {
            evacuation.state = Running;
            changes.tell(now_ms, format!("{by} let it go on."));
        }
        (EvacuationCommand::Stop { cancel }, Running | Paused | Stopping) => {
            evacuation.state = Stopping;
            let how = if *cancel { "and cancels what moves" } else { "what moves goes on" };
            changes.tell(now_ms, format!("{by} stopped it, {how}."));
        }
        (EvacuationCommand::Skip(vm), Running | Paused) => skip(evacuation, *vm, by, changes, now_ms)?,
        (EvacuationCommand::Retry(vm), Running | Paused) => retry(evacuation, *vm, by, changes, now_ms)?,
        (EvacuationCommand::First(vm), Running | Paused) => {
            let from = position(evacuation, *vm)?;
            let is_waiting = |item: &model::EvacuationItem| item.state == ItemState::Waiting;
            if !is_waiting(&evacuation.items[from]) {
                return refused("Only what waits can go first.");
            }
            let to = evacuation.items.iter().position(is_waiting).unwrap_or(from);
            let item = evacuation.items.remove(from);
            changes.tell(now_ms, format!("{by} put {} first.", item.vm_name));
            evacuation.items.insert(to, item);
            changes.items.extend(evacuation.items.iter().map(|item| item.vm));
        }
        (EvacuationCommand::Pause, Paused) | (EvacuationCommand::Continue, Running) => {}
        _ => return refused("The evacuation is being stopped."),
    }
    Ok(())
}

fn position(evacuation: &Evacuation, vm: VmId) -> Result<usize, Error> {
    let unknown = || wording::known(Problem::new(Code::UnknownVm, format!("The evacuation has no VM {vm}.")));
    evacuation.items.iter().position(|item| item.vm == vm).ok_or_else(unknown)
}

fn skip(evacuation: &mut Evacuation, vm: VmId, by: &str, changes: &mut Changes, now_ms: u64) -> Result<(), Error> {
    let at = position(evacuation, vm)?;
    let item = &mut evacuation.items[at];
    match item.state {
        ItemState::Waiting | ItemState::WaitsForPerson { .. } => {
            item.state = ItemState::Skipped { by: by.to_owned() };
            changes.tell(now_ms, format!("{by} left {} out.", item.vm_name));
            changes.items.insert(vm);
            Ok(())
        }
        ItemState::Skipped { .. } => Ok(()),
        _ => {
            let sentence = format!("{} does not wait.", item.vm_name);
            let fix = "A move under way can be cancelled on its own page.";
            Err(wording::known(Problem::new(Code::WrongState, sentence).with_fix(fix)))
        }
    }
}

fn retry(evacuation: &mut Evacuation, vm: VmId, by: &str, changes: &mut Changes, now_ms: u64) -> Result<(), Error> {
    let is_home = matches!(evacuation.request.subject, Subject::Home(_));
    let at = position(evacuation, vm)?;
    let item = &mut evacuation.items[at];
    match item.state {
        ItemState::WaitsForPerson { .. } | ItemState::Skipped { .. } | ItemState::Stays { .. } => {
            if !is_home {
                item.destination = None;
            }
            item.tried.clear();
            item.not_before_ms = None;
            item.state = ItemState::Waiting;
            changes.tell(now_ms, format!("{by} had {} tried again.", item.vm_name));
            changes.items.insert(vm);
            Ok(())
        }
        ItemState::Waiting => Ok(()),
        _ => {
            Err(wording::known(Problem::new(Code::WrongState, format!("{} does not wait for a person.", item.vm_name))))
        }
    }
}

impl Evacuations {
    /// Shuts down the VMs that a person has chosen to be; starts those again that come home so.
    async fn act_on_choices(&self, evacuation: &mut Evacuation, changes: &mut Changes, now_ms: u64) {
        let action = match evacuation.request.subject {
            Subject::Home(_) => VmAction::Start,
            Subject::Hosts(_) | Subject::Vms(_) => VmAction::ShutDown,
        };
        for item in &mut evacuation.items {
            let is_chosen = item.state == ItemState::Stays { problem: None, choice: Some(Choice::ShutDown) };
            // It is asked once: a guest may take its time, or not listen.
            if !is_chosen || item.not_before_ms.is_some() {
                continue;
            }
            let (state, connection) = {
                let inventory = self.context.inventory();
                let Some(vm) = inventory.vm(item.vm) else { continue };
                (vm.state, inventory.connection(&vm.host))
            };
            let Ok(connection) = connection else { continue };
            let is_due = if action == VmAction::Start { state == VmState::ShutOff } else { state == VmState::Running };
            if !is_due {
                continue;
            }
            item.not_before_ms = Some(now_ms);
            changes.items.insert(item.vm);
            let done = connection.act(item.vm, action).await;
            let what = if action == VmAction::Start { "start" } else { "shut down" };
            changes.tell(
                now_ms,
                match done {
                    Ok(()) => format!("{} was asked to {what}, as chosen.", item.vm_name),
                    Err(error) => format!("{} could not be asked to {what}: {}", item.vm_name, error.sentence),
                },
            );
        }
    }

    /// Hosts that VMs have left or come to tell anew what is free, before the next are sent there.
    fn ask_for_room(self: &Arc<Self>, evacuation: &Evacuation) {
        let hosts: BTreeSet<_> = evacuation
            .items
            .iter()
            .flat_map(|item| [Some(item.source.clone()), item.destination.clone()])
            .flatten()
            .collect();
        for host in hosts {
            let connection = self.context.inventory().connection(&host);
            let Ok(connection) = connection else { continue };
            let context = Arc::clone(&self.context);
            self.context.tasks().spawn(async move {
                if let Ok(facts) = connection.host().await {
                    context.inventory().set_facts(&host, facts);
                }
            });
        }
    }

    /// Cancels the migrations of an evacuation that is stopped.
    async fn cancel_all(&self, evacuation: &Evacuation, by: &str) {
        for item in &evacuation.items {
            let ItemState::Moving { migration } = item.state else { continue };
            if let Err(error) = self.migrations.cancel(migration, by).await {
                // It has just ended, or runs at its destination.
                tracing::info!(%migration, %error, "a migration of a stopped evacuation is not cancelled");
            }
        }
    }
}
