//! The fleet at a glance.

use std::{collections::BTreeSet, sync::Arc};

use model::{
    Attention, ConnectionState, Convergence, EndedBadly, Migration, MigrationId, Phase, Summary, Unreachable, Vm, VmId,
};

use super::Inventory;

/// How many migrations that ended badly are told of.
const ENDED_BADLY: usize = 20;

/// The summary as of a number: all subscribers share it until something changes.
#[derive(Default)]
pub(super) struct Summarised(Option<(u64, Arc<Summary>)>);

impl Inventory {
    /// The fleet at a glance, as of now.
    pub(super) fn summary(&mut self) -> Arc<Summary> {
        let now = self.feed.last();
        if let Some((at, summary)) = &self.summarised.0
            && *at == now
        {
            return Arc::clone(summary);
        }
        let summary = Arc::new(self.summarise());
        self.summarised.0 = Some((now, Arc::clone(&summary)));
        summary
    }

    fn summarise(&self) -> Summary {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let running = || self.migrations.values().filter(|migration| !migration.phase.has_ended());
        let never_ends =
            |migration: &&Migration| matches!(migration.progress.convergence, Convergence::NotConverging { .. });
        let ended_badly = |migration: &&Migration| matches!(migration.phase, Phase::Failed | Phase::NeedsAttention);
        Summary {
            vms: count(self.vms.len()),
            hosts: count(self.published_hosts.len()),
            running: count(running().count()),
            not_converging: count(running().filter(never_ends).count()),
            attention: self.attention(),
            alarms: self.alarms(),
            unreachable: self.unreachable_by_reason(),
            ended_badly: self.migrations.values().rev().filter(ended_badly).take(ENDED_BADLY).map(told).collect(),
            newest: self.migrations.keys().next_back().copied(),
            evacuations: self.evacuations,
        }
    }

    /// The migration of a VM that needs attention, if its latest one does.
    pub(super) fn in_doubt(&self, vm: VmId) -> Option<MigrationId> {
        let latest = self.migrations.values().rev().find(|migration| migration.vm == vm)?;
        (latest.phase == Phase::NeedsAttention).then_some(latest.id)
    }

    /// VMs whose latest migration needs attention, also where no host has the VM any more: that is why.
    fn attention(&self) -> Vec<Attention> {
        let mut later = BTreeSet::new();
        // Ids grow with time.
        let latest = self.migrations.values().rev().filter(|migration| later.insert(migration.vm));
        let in_doubt = latest.filter(|migration| migration.phase == Phase::NeedsAttention);
        let told = |(index, migration): (usize, &Migration)| Attention {
            vm: migration.vm,
            vm_name: migration.vm_name.clone(),
            migration: migration.id,
            problem: migration.problem.clone().filter(|_| index < Summary::SHOWN),
            step: migration.step.clone().filter(|_| index < Summary::SHOWN),
        };
        in_doubt.enumerate().map(told).collect()
    }

    /// VMs that run on several hosts where no migration says why, and those that share their UUID.
    fn alarms(&self) -> Vec<Vm> {
        let is_alarm = |vm: &&Vm| !vm.twins.is_empty() || self.in_doubt(vm.id).is_none();
        self.tally
            .remarkable()
            .filter_map(|id| self.vms.get(id))
            .filter(is_alarm)
            .take(Summary::SHOWN)
            .cloned()
            .collect()
    }

    fn unreachable_by_reason(&self) -> Vec<Unreachable> {
        let mut reasons: Vec<Unreachable> = Vec::new();
        for host in self.published_hosts.values() {
            let ConnectionState::Unreachable { since_ms, problem } = &host.connection else { continue };
            match reasons.iter_mut().find(|reason| reason.problem.code == problem.code) {
                Some(reason) => {
                    reason.since_ms = reason.since_ms.min(*since_ms);
                    reason.hosts.push(host.name.clone());
                }
                None => reasons.push(Unreachable {
                    problem: problem.clone(),
                    since_ms: *since_ms,
                    hosts: vec![host.name.clone()],
                }),
            }
        }
        reasons
    }
}

fn told(migration: &Migration) -> EndedBadly {
    EndedBadly {
        id: migration.id,
        phase: migration.phase,
        at_ms: migration.ended_at_ms.unwrap_or(migration.created_at_ms),
    }
}
