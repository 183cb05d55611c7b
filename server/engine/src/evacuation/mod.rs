//! Evacuations: plans, and plans that are carried out.
//!
//! `planning.rs` makes a plan and changes nothing: it asks the planner where VMs could go, and the preflights of the pairs that it
//! names, until both agree. `conduct.rs` carries all open evacuations out, in one task, which alone changes them: `settle.rs` sees what
//! became of the VMs, `place.rs` finds hosts for those that have none, `begin.rs` begins the next moves, `raise.rs` gives those under way what
//! others have left of the links, `tell.rs` does what people ask for, `empty.rs` says when a host is empty. What is to happen is in the store
//! before it does, so that the next console goes on where this one was.

mod begin;
mod choices;
mod conduct;
mod empty;
mod estimate;
mod fleet;
mod hooks;
mod keep;
mod outdated;
mod place;
mod planning;
mod raise;
mod refused;
mod reserve;
mod said;
mod settle;
mod subject;
mod tell;
mod wording;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use hooks::Announcer;
pub use hooks::Hooks;
use keep::KeptPlans;
use model::{
    Evacuation, EvacuationCommand, EvacuationEvent, EvacuationId, HostName, Maintenance, MaintenanceCommand,
    PlacementRules, Plan, PlanId,
};
use store::StoreError;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::{context::Context, error::Error, lock::lock, migration::Migrations, preflight::Preflights};

/// Plans, and carries plans out.
pub(crate) struct Evacuations {
    context: Arc<Context>,
    preflights: Arc<Preflights>,
    migrations: Arc<Migrations>,
    plans: Mutex<KeptPlans>,
    /// As they were last written down. Only the conductor changes them.
    open: Mutex<BTreeMap<EvacuationId, Evacuation>>,
    rules: Mutex<PlacementRules>,
    conductor: mpsc::UnboundedSender<Order>,
    announcer: Announcer,
}

/// What the conductor is told.
enum Order {
    /// This evacuation has been written down.
    Conduct(Box<Evacuation>),
    /// A person wants it to go on otherwise.
    Tell {
        id: EvacuationId,
        command: EvacuationCommand,
        by: String,
        answer: oneshot::Sender<Result<Evacuation, Error>>,
    },
    /// A migration that was to begin was refused.
    Refused(begin::Refusal),
    /// A migration that was to begin is in the store.
    Begun(model::MigrationId),
}

impl Evacuations {
    /// Goes on with the evacuations that an earlier run of the console left open.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn start(
        context: Arc<Context>,
        preflights: Arc<Preflights>,
        migrations: Arc<Migrations>,
    ) -> Result<Arc<Self>, StoreError> {
        let open = context.store().open_evacuations().await?;
        let rules = context.store().placement_rules().await?;
        for (host, maintenance) in context.store().maintenance().await? {
            context.inventory().set_maintenance(&host, Some(maintenance));
        }
        for evacuation in &open {
            context.inventory().set_reservations(evacuation.id, reserve::reservations(evacuation));
        }
        let announcer = Announcer::new(Arc::clone(&context), context.store().hooks_to_tell().await?);
        let (conductor, orders) = mpsc::unbounded_channel();
        let evacuations = Arc::new(Self {
            open: Mutex::new(open.iter().map(|one| (one.id, one.clone())).collect()),
            context,
            preflights,
            migrations,
            plans: Mutex::default(),
            rules: Mutex::new(rules),
            conductor,
            announcer,
        });
        let conducting = conduct::run(Arc::clone(&evacuations), open, orders);
        evacuations.context.tasks().spawn(conducting);
        Ok(evacuations)
    }

    /// Who is told when a host is empty, and when all is home: also what an earlier run of the console has not told.
    pub(crate) fn set_hooks(&self, hooks: Arc<dyn Hooks>) {
        self.announcer.set_hooks(hooks);
    }

    /// A plan that was made within the last hour.
    pub(crate) fn kept_plan(&self, id: PlanId) -> Result<Plan, Error> {
        lock(&self.plans).get(id, self.context.now_ms()).ok_or_else(|| wording::unknown_plan(id))
    }

    /// Carries a plan out, if it still holds.
    pub(crate) async fn carry_out(&self, id: PlanId, by: &str) -> Result<Evacuation, Error> {
        let plan = self.kept_plan(id)?;
        self.refuse_what_others_do(&plan)?;
        let difference = outdated::difference(&self.context.inventory(), &self.rules(), &plan);
        if !difference.is_empty() {
            return Err(wording::outdated(&difference));
        }
        let evacuation = keep::evacuation(plan, EvacuationId(Uuid::now_v7()), by, self.context.now_ms());
        let maintenance = self.to_maintain(&evacuation);
        self.context.store().insert_evacuation(&evacuation, &maintenance).await?;
        for (host, maintenance) in maintenance {
            self.context.inventory().set_maintenance(&host, Some(maintenance));
        }
        lock(&self.plans).take(id);
        self.show(&evacuation);
        // The conductor ends with the engine, and then it is the next one's.
        let _ = self.conductor.send(Order::Conduct(Box::new(evacuation.clone())));
        Ok(evacuation)
    }

    /// The hosts whose stage changes as this evacuation begins: those that it empties, and those that VMs come home to.
    fn to_maintain(&self, evacuation: &Evacuation) -> Vec<(HostName, Maintenance)> {
        match &evacuation.request.subject {
            model::Subject::Hosts(hosts) => {
                hosts.iter().map(|host| (host.clone(), empty::draining(evacuation))).collect()
            }
            model::Subject::Home(before) => {
                let inventory = self.context.inventory();
                let of_it = inventory.in_maintenance().filter(|(_, maintenance)| maintenance.evacuation == *before);
                of_it.map(|(host, now)| (host.clone(), empty::coming_back(now, evacuation))).collect()
            }
            model::Subject::Vms(_) => Vec::new(),
        }
    }

    /// An evacuation as it is now, and its history, oldest entry first.
    pub(crate) async fn get(&self, id: EvacuationId) -> Result<(Evacuation, Vec<EvacuationEvent>), Error> {
        let now = self.shown().get(&id).cloned();
        let evacuation = match now {
            Some(evacuation) => evacuation,
            None => self.context.store().evacuation(id).await?.ok_or_else(|| wording::unknown(id))?,
        };
        Ok((evacuation, self.context.store().evacuation_events(id).await?))
    }

    /// The newest evacuations, newest first, without their items.
    pub(crate) async fn list(&self, limit: u32) -> Result<Vec<Evacuation>, Error> {
        let mut newest = self.context.store().evacuations(limit).await?;
        let open = self.shown();
        for evacuation in &mut newest {
            if let Some(now) = open.get(&evacuation.id) {
                *evacuation = Evacuation { items: Vec::new(), ..now.clone() };
            }
        }
        Ok(newest)
    }

    /// Those that have not ended.
    pub(crate) fn open(&self) -> Vec<Evacuation> {
        self.shown().values().cloned().collect()
    }

    /// Tells an evacuation to go on otherwise.
    pub(crate) async fn tell(
        &self,
        id: EvacuationId,
        command: EvacuationCommand,
        by: &str,
    ) -> Result<Evacuation, Error> {
        if !self.shown().contains_key(&id) {
            let (ended, _) = self.get(id).await?;
            return Err(wording::already_ended(&ended));
        }
        let (answer, answered) = oneshot::channel();
        let order = Order::Tell { id, command, by: by.to_owned(), answer };
        self.conductor.send(order).map_err(|_| Error::Stopping)?;
        answered.await.map_err(|_| Error::Stopping)?
    }

    /// Says that work on a host begins, or that it is in use again.
    pub(crate) async fn set_maintenance(&self, host: &HostName, command: MaintenanceCommand) -> Result<(), Error> {
        let next = empty::told(&self.context.inventory(), &self.shown(), host, command, self.context.now_ms())?;
        self.context.store().set_maintenance(host, next.as_ref(), None).await?;
        self.context.inventory().set_maintenance(host, next);
        Ok(())
    }

    pub(crate) fn rules(&self) -> PlacementRules {
        lock(&self.rules).clone()
    }

    /// Replaces the rules for where VMs may be.
    pub(crate) async fn set_rules(&self, rules: PlacementRules) -> Result<(), Error> {
        subject::check_rules(&rules)?;
        self.context.store().set_placement_rules(&rules).await?;
        *lock(&self.rules) = rules;
        Ok(())
    }

    /// Pages see it so from now on.
    fn show(&self, evacuation: &Evacuation) {
        match evacuation.state.has_ended() {
            true => self.shown().remove(&evacuation.id),
            false => self.shown().insert(evacuation.id, evacuation.clone()),
        };
        let mut inventory = self.context.inventory();
        inventory.set_reservations(evacuation.id, reserve::reservations(evacuation));
        inventory.evacuations_changed();
    }

    fn shown(&self) -> MutexGuard<'_, BTreeMap<EvacuationId, Evacuation>> {
        lock(&self.open)
    }

    /// A host is emptied by one evacuation at a time, and a VM moved by one.
    fn refuse_what_others_do(&self, plan: &Plan) -> Result<(), Error> {
        let open = self.shown();
        for other in open.values() {
            let emptied = plan.request.emptied().iter().find(|host| other.request.emptied().contains(host));
            if let Some(host) = emptied {
                return Err(wording::emptied_already(host, other));
            }
            let is_its = |vm: &model::VmId| {
                other.item(*vm).is_some_and(|item| {
                    matches!(item.state, model::ItemState::Waiting | model::ItemState::Moving { .. })
                })
            };
            if let Some(taken) = plan.moves.iter().find(|planned| is_its(&planned.vm)) {
                return Err(wording::moved_already(&taken.vm_name, other));
            }
        }
        Ok(())
    }
}
