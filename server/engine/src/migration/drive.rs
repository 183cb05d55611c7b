//! Hands a migration to libvirt, and goes on direct where the source may not log in at the destination.

use model::{Code, ControlFlow, Migration, Mode, Problem};

use crate::{
    MigrationPlan, NotMigrated,
    inventory::unknown_host,
    migration::lifecycle::{Claim, Runner, every_sample},
    migration::verdict::Presence,
    storage::Prepared,
};

impl Runner<'_> {
    /// Lets libvirt move the VM, and watches it until libvirt says it is over.
    pub(crate) async fn drive(&mut self, persistent: bool, prepared: Prepared) -> Claim {
        let plan = self.plan(persistent, prepared).map_err(NotMigrated::NotBegun)?;
        let claim = self.hand_over(&plan).await;
        if plan.control_flow == ControlFlow::Direct {
            return claim;
        }
        self.remember_login(&claim);
        match claim {
            Err(NotMigrated::NotBegun(refusal)) if refusal.code == Code::PeerLogin && !self.is_as_it_was().await => {
                Err(NotMigrated::Failed(refusal))
            }
            Err(NotMigrated::NotBegun(refusal)) if self.would_help_to_go_direct(&refusal) => {
                self.go_direct(&refusal).await.map_err(NotMigrated::NotBegun)?;
                self.hand_over(&MigrationPlan { control_flow: ControlFlow::Direct, ..plan }).await
            }
            claim => claim,
        }
    }

    async fn hand_over(&mut self, plan: &MigrationPlan) -> Claim {
        let source = self.engine.inventory().connection(&self.migration.source).map_err(NotMigrated::NotBegun)?;
        let mut moving = source.migrate(plan);
        let mut ticks = every_sample();
        loop {
            // Only waiting is given up when libvirt is done: a sample, once begun, is taken and written down.
            let tick = tokio::select! {
                claim = &mut moving => return claim,
                tick = self.tick(&mut ticks) => tick,
            };
            self.take(tick).await;
        }
    }

    fn plan(&self, persistent: bool, prepared: Prepared) -> Result<MigrationPlan, Problem> {
        let Migration { vm, source, destination, mode, options, .. } = &self.migration;
        let inventory = self.engine.inventory();
        let (Some(from), Some(to)) = (inventory.host(source), inventory.host(destination)) else {
            return Err(unknown_host(destination.as_str()));
        };
        let control_flow = self.migration.control_flow.unwrap_or(ControlFlow::PeerToPeer);
        // Of other migrations libvirt encrypts nothing itself: they go along with a login.
        let from_host_to_host = *mode == Mode::Live && control_flow != ControlFlow::Tunnelled;
        Ok(MigrationPlan {
            vm: *vm,
            destination: to.for_migration(self.handle.login.as_ref()),
            control_flow,
            encrypted: self.migration.encrypted && from_host_to_host,
            rdma: options.rdma && from_host_to_host,
            mode: *mode,
            undefine_source: !options.keep_source_definition,
            // An offline VM has nothing but its definition, so that is what has to stay.
            persist_destination: persistent || *mode == Mode::Offline,
            bandwidth_mib_s: options.bandwidth_mib_s.or(from.config.bandwidth_mib_s),
            new_name: options.new_name.clone(),
            disks: prepared.disks,
            synchronous_writes: prepared.synchronous_writes,
            trust_shared_directories: prepared.trust_shared_directories,
        })
    }

    /// Whether the source may log in at the destination is known once it has tried.
    fn remember_login(&self, claim: &Claim) {
        let Migration { source, destination, .. } = &self.migration;
        let refused_ms = match claim {
            Err(NotMigrated::NotBegun(problem)) if problem.code == Code::PeerLogin => Some(self.engine.clock.now_ms()),
            Ok(()) | Err(NotMigrated::Failed(_)) => None,
            Err(NotMigrated::NotBegun(_) | NotMigrated::Lost(_)) => return,
        };
        self.engine.recent.tried_login(source, destination, refused_ms);
    }

    /// Whether the source has the VM, and does not move it. That nothing was begun is only what libvirt's words sound like: a login that
    /// worked and broke later may sound so, too.
    async fn is_as_it_was(&self) -> bool {
        let expected = if self.migration.mode == Mode::Live { Presence::Active } else { Presence::Inactive };
        self.ask(true).await == expected
    }

    /// Whether it was the source's login that failed, and nobody insists on it.
    fn would_help_to_go_direct(&self, refusal: &Problem) -> bool {
        refusal.code == Code::PeerLogin && self.migration.options.control_flow.is_none()
    }

    /// From now on the console drives it, which the next console has to know of. What was made ready stays so.
    async fn go_direct(&mut self, refusal: &Problem) -> Result<(), Problem> {
        self.unless_cancelled().await?;
        let Migration { source, destination, .. } = &self.migration;
        let because = refusal.details.as_ref().map_or_else(String::new, |words| format!(" ({words})"));
        let text =
            format!("{source} could not log in on {destination}{because}. It goes on direct: the console drives it.");
        self.migration.control_flow = Some(ControlFlow::Direct);
        self.write_for_certain(text).await
    }
}
