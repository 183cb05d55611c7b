//! Keeps migrations going: new ones begin as others end, and some of them fail.

use std::{sync::Arc, time::Duration};

use engine::{
    Engine, StateReason,
    testing::{Fault, Sim},
};
use futures::{StreamExt, stream};
use model::{HostName, MigrationRequest, Scope, VmId};
use tokio::time::sleep;

use crate::{broken::Broken, dice::Dice, world::World};

/// How often it is looked whether more are needed.
const ROUND: Duration = Duration::from_millis(500);
/// How many are begun at once.
const AT_ONCE: usize = 8;
/// How many may need attention: of more, nothing new is to be seen.
const ATTENTION: usize = 4;

/// Migrations of a world.
pub(crate) struct Traffic {
    sim: Sim,
    engine: Arc<Engine>,
    vms: Vec<VmId>,
    /// Hosts that answer.
    hosts: Vec<HostName>,
    broken: Broken,
    dice: Dice,
    /// How many were made to need attention.
    attention: usize,
}

impl Traffic {
    /// Cuts hosts off, every so many one, and moves VMs among the others.
    pub(crate) fn new(world: World, engine: Arc<Engine>, unreachable: usize, seed: u64) -> Self {
        let World { sim, hosts, vms } = world;
        let every = hosts.len().checked_div(unreachable).unwrap_or(usize::MAX);
        let is_cut = |number: usize| number % every == every - 1 && number / every < unreachable;
        let (cut, up): (Vec<_>, Vec<_>) = hosts.into_iter().enumerate().partition(|(number, _)| is_cut(*number));
        cut.iter().for_each(|(_, host)| sim.cut(&host.name));
        let hosts: Vec<HostName> = up.into_iter().map(|(_, host)| host.name).collect();
        let broken = Broken::new(&sim, [hosts[0].clone(), hosts[1].clone()]);
        Self { sim, engine, vms, hosts, broken, dice: Dice::new(!seed), attention: 0 }
    }

    /// Has this many under way, for ever.
    pub(crate) async fn keep_going(mut self, migrating: usize) {
        loop {
            self.broken.keep(&self.sim, &self.engine).await;
            self.fill_up(migrating).await;
            sleep(ROUND).await;
        }
    }

    /// Begins as many as are missing. Some are refused, as where the VM does migrate already: the next round makes up for them.
    async fn fill_up(&mut self, migrating: usize) {
        let running = self.engine.snapshot(Some(Scope::default())).summary.running;
        let missing = migrating.saturating_sub(usize::try_from(running).unwrap_or(usize::MAX));
        let requests: Vec<_> = (0..missing).filter_map(|_| self.next()).collect();
        let engine = &self.engine;
        stream::iter(requests)
            .for_each_concurrent(AT_ONCE, |request| async move {
                if let Err(error) = engine.migrate(request.into(), "fleet").await {
                    tracing::debug!(%error, "a migration did not begin");
                }
            })
            .await;
    }

    /// A VM that runs on one host that answers, to another.
    fn next(&mut self) -> Option<MigrationRequest> {
        let vm = *self.dice.one_of(&self.vms);
        let [source] = self.sim.runs_on(vm).try_into().ok()?;
        let destination = self.dice.one_of(&self.hosts).clone();
        if source == destination || !self.hosts.contains(&source) {
            return None;
        }
        if let Some(fault) = self.fault() {
            self.sim.fail_next(vm, fault);
        }
        Some(MigrationRequest::plain(vm, destination))
    }

    /// What goes wrong: of a hundred, eleven.
    fn fault(&mut self) -> Option<Fault> {
        match self.dice.below(100) {
            0..5 => Some(Fault::Refused("Timed out during operation: cannot acquire state change lock".to_owned())),
            5..8 => Some(Fault::ResultLost),
            8 => Some(Fault::Ends(StateReason::Shutdown)),
            9..11 if self.attention < ATTENTION => {
                self.attention += 1;
                Some(Fault::RunsTwice)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Phase;
    use std::collections::BTreeSet;
    use store::MemoryStore;

    #[tokio::test(start_paused = true)]
    async fn migrations_go_on_and_end_variously() {
        let world = World::new(12, 200, 3);
        let sim = Arc::new(world.sim.clone());
        let engine = Engine::start(world.hosts.clone(), sim, Arc::new(MemoryStore::default())).await.unwrap();
        while !engine.is_ready() {
            sleep(ROUND).await;
        }
        let going = tokio::spawn(Traffic::new(world, Arc::clone(&engine), 2, 3).keep_going(20));
        sleep(Duration::from_secs(600)).await;
        let snapshot = engine.snapshot(None);
        assert!((15..=22).contains(&snapshot.summary.running), "{} migrate", snapshot.summary.running);
        assert_eq!(snapshot.summary.unreachable_hosts(), 2);
        let phases: BTreeSet<Phase> = snapshot.migrations.iter().map(|migration| migration.phase).collect();
        for phase in [Phase::CopyingMemory, Phase::Succeeded, Phase::Failed, Phase::NeedsAttention] {
            assert!(phases.contains(&phase), "{phase:?} is not among {phases:?}");
        }
        going.abort();
        for host in &snapshot.hosts {
            let here: Vec<_> = snapshot.vms.iter().filter(|vm| vm.host == host.name).collect();
            let active = here.iter().filter(|vm| vm.state.is_active()).count();
            assert_eq!((host.vms as usize, host.vms_active as usize), (here.len(), active), "{}", host.name);
        }
    }
}
