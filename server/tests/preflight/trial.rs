//! A trial: the obstacle is made, a preflight is run, the migration is started regardless of its report, and virsh says where the
//! VM is.

use std::{path::Path, sync::Arc, time::Duration};

use engine::{AllowedNetworks, Engine, Networks};
use libvirt::{LibvirtHypervisor, SshFiles, SystemResolver};
use model::{Code as ErrorCode, Finding, HostName, Migration, MigrationRequest, Phase, Preflight, Severity, VmState};
use store::MemoryStore;
use tokio::time::timeout;

use crate::{
    guest::{self, Guest},
    obstacle::{Obstacle, Outcome, StartedBy},
    table::Row,
    testbed::TestBed,
};

/// Nothing in a trial takes this long.
const LIMIT: Duration = Duration::from_secs(90);

/// Tries all of them, one after the other.
pub async fn try_all(bed: &TestBed<'_>, obstacles: &[Obstacle]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, obstacle) in obstacles.iter().enumerate() {
        let guest = Guest::new(number);
        let row = try_out(bed, obstacle, &guest).await;
        (obstacle.undo)(bed, &guest);
        bed.source.clean();
        bed.destination.clean();
        rows.push(row);
    }
    rows
}

async fn try_out(bed: &TestBed<'_>, obstacle: &Obstacle, guest: &Guest) -> Row {
    let parts = (obstacle.parts)(bed, guest);
    guest::define(bed, &bed.source, &guest.xml(&parts));
    if !obstacle.is_off {
        bed.source.virsh(&["start", guest::NAME]);
    }
    (obstacle.make)(bed, guest);
    let trial = Trial::start(bed, obstacle, guest).await;
    let preflight = trial.engine.preflight(guest.id, &trial.destination, &(obstacle.options)()).await;
    let preflight = preflight.expect("a preflight can be run");
    let before = states(bed, guest);
    let attempt = timeout(LIMIT, trial.migrate()).await.expect("it ends");
    let after = states(bed, guest);
    trial.engine.stop().await;
    let afterwards = (obstacle.afterwards)(bed, guest);
    let (outcome, words) = match attempt {
        Err(words) => (Outcome::Fails, Some(words)),
        Ok(()) if obstacle.state == VmState::ShutOff => match bed.destination.start(guest) {
            Ok(()) => (Outcome::Succeeds, None),
            Err(words) => (Outcome::Arrives, Some(words)),
        },
        Ok(()) => (Outcome::Succeeds, None),
    };
    Row {
        obstacle: obstacle.name,
        hosts: format!("{} to {}", bed.source.config.name, trial.destination),
        code: obstacle.code,
        severity: obstacle.severity,
        outcome,
        disagreement: disagreement(obstacle, &preflight, (outcome, words.as_deref()), &before, &after)
            .or_else(|| afterwards.err()),
        words,
    }
}

/// The VM's state on both hosts, according to virsh.
type States = [Option<String>; 2];

fn states(bed: &TestBed<'_>, guest: &Guest) -> States {
    [&bed.source, &bed.destination].map(|machine| machine.state(guest))
}

/// How the trial differs from what was expected, if it does.
fn disagreement(
    obstacle: &Obstacle,
    preflight: &Preflight,
    (outcome, words): (Outcome, Option<&str>),
    before: &States,
    after: &States,
) -> Option<String> {
    let named = |finding: &Finding| (finding.code, finding.severity) == (obstacle.code, obstacle.severity);
    if !preflight.findings.iter().any(named) {
        return Some(format!("the preflight does not report it, but {:?}", preflight.findings));
    }
    let expected = |finding: &Finding| named(finding) || obstacle.also.contains(&finding.code);
    let others: Vec<_> = preflight.of(Severity::Blocker).filter(|finding| !expected(finding)).collect();
    if !others.is_empty() {
        return Some(format!("the preflight reports other blockers: {others:?}"));
    }
    if outcome != obstacle.outcome {
        return Some(format!("the migration: {outcome:?}, {words:?}"));
    }
    let right = match obstacle.outcome {
        Outcome::Succeeds | Outcome::Arrives => [None, before[0].clone()],
        Outcome::Fails => before.clone(),
    };
    (*after != right).then(|| format!("the VM is {after:?}, not {right:?}, at source and destination"))
}

/// Every trial has an engine of its own, which knows nothing of the others.
struct Trial<'a> {
    engine: Arc<Engine>,
    destination: HostName,
    bed: &'a TestBed<'a>,
    obstacle: &'a Obstacle,
    guest: &'a Guest,
}

impl<'a> Trial<'a> {
    /// Returns when the engine knows the VM's state.
    async fn start(bed: &'a TestBed<'a>, obstacle: &'a Obstacle, guest: &'a Guest) -> Self {
        let networks = Arc::new(Networks::new(AllowedNetworks::Any, &[], SystemResolver));
        let files = SshFiles::below(Path::new("/nonexistent"));
        let hypervisor = Arc::new(LibvirtHypervisor::new(files, networks).expect("libvirt can be used"));
        let destination = (obstacle.registered)(bed);
        let name = destination.name.clone();
        let hosts = vec![bed.source.config.clone(), destination];
        let engine = Engine::start(hosts, hypervisor, Arc::new(MemoryStore::default())).await;
        let engine = engine.expect("a new store is sound");
        let known = |engine: &Engine| {
            let snapshot = engine.snapshot(None);
            let vm = snapshot.vms.iter().find(|vm| vm.id == guest.id);
            engine.is_ready() && vm.is_some_and(|vm| vm.state == obstacle.state)
        };
        until(&engine, known).await;
        Self { engine, destination: name, bed, obstacle, guest }
    }

    /// Starts the migration regardless of the preflight report, and waits for its end; if it failed, why.
    async fn migrate(&self) -> Result<(), String> {
        match self.obstacle.started_by {
            StartedBy::Engine => self.by_engine().await,
            StartedBy::Virsh => self.bed.migrate_by_virsh(),
        }
    }

    async fn by_engine(&self) -> Result<(), String> {
        let request = MigrationRequest {
            vm: self.guest.id,
            destination: self.destination.clone(),
            mode: None,
            options: (self.obstacle.options)(),
            accept: Vec::new(),
        };
        let begun =
            self.engine.migrate_unchecked(request, "the test").await.expect("it starts regardless of the findings");
        let settled = |engine: &Engine| {
            let snapshot = engine.snapshot(None);
            let mut migrations = snapshot.migrations.iter().filter(|migration| migration.id == begun.id);
            migrations.any(|migration| migration.phase.has_ended() || waits_for_a_host(migration))
        };
        until(&self.engine, settled).await;
        let (migration, _) = self.engine.migration(begun.id).await.expect("it was begun");
        if waits_for_a_host(&migration) {
            self.engine.cancel(begun.id, "the test").await.expect("a migration in the queue can be cancelled");
        }
        match (migration.phase, migration.problem) {
            (Phase::Succeeded, _) => Ok(()),
            // A VM that ran on both hosts before still does, and needs attention.
            (Phase::Failed | Phase::NeedsAttention | Phase::Queued, Some(problem)) => {
                Err(problem.details.unwrap_or(problem.sentence))
            }
            (phase, problem) => panic!("unexpected end: {phase:?}, {problem:?}"),
        }
    }
}

/// Whether it has not begun, as a host does not answer: it would wait for hours.
fn waits_for_a_host(migration: &Migration) -> bool {
    let problem = migration.problem.as_ref();
    migration.phase == Phase::Queued && problem.is_some_and(|problem| problem.code == ErrorCode::HostUnreachable)
}

/// Waits until a condition holds, which is checked at every update.
pub async fn until(engine: &Arc<Engine>, holds: impl Fn(&Engine) -> bool) {
    let mut updates = engine.subscribe(None, None);
    let wait = async {
        while !holds(engine) {
            updates.recv().await.expect("the engine runs");
        }
    };
    timeout(LIMIT, wait).await.expect("it happens");
}
