//! One run: a migration in which something goes wrong, the judgement, and the next migration, in which nothing does.

use std::time::Duration;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    bed::{Bed, HOSTS, Ready},
    fault::Struck,
    guest::Facts,
    host::Sight,
    judge::Judge,
    moment::{Events, Moment},
    plan::Plan,
    violation::Violation,
    vm::Disk,
    watch::Watch,
};

/// How long the plain migration after a run may take.
const NEXT_LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Which VM moves from where to where: indexes of the bed's hosts.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    pub vm: &'static str,
    pub source: usize,
    pub destination: usize,
}

impl Move {
    /// The host that is neither.
    pub fn third(&self) -> usize {
        HOSTS - self.source - self.destination
    }
}

/// What came of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// The run's number.
    pub run: u64,
    /// What was planned.
    pub plan: String,
    /// The row and the column of the table.
    pub fault: String,
    pub moment: String,
    /// Whether the moment was hit.
    pub hit: bool,
    /// How the migration ended, and where the VM was.
    pub end: String,
    /// How long the run took, in ms: until it was struck, healed, judged, and moved once more.
    pub ms: [u64; 4],
    /// What was not as it has to be.
    pub violations: Vec<Violation>,
    /// What libvirt said, for a person.
    pub observed: Vec<String>,
    /// The record and its history.
    pub record: Value,
}

/// Does a run. An error is a bed that is broken, or a run that could not be begun.
pub async fn run(bed: &mut Bed, plan: &Plan) -> Result<Outcome> {
    let mut clock = Clock::start();
    let Ready { host: source, guest: before, damage } = bed.ensure_vm(plan.vm).await?;
    // What a person does who has seen that all is well.
    bed.remove_old_images(plan.vm, Some(source)).await?;
    let moved = Move { vm: plan.vm.name, source, destination: plan.destination(source) };
    let mut struck = Struck::default();
    struck.violations.extend(damage.map(|damage| Violation::new("kept", damage)));
    plan.fault.prepare(bed, &moved, &mut struck).await?;
    let watch = Watch::of(&bed.hosts, moved.vm);
    let needs_events = matches!(plan.moment, Moment::Switch(_)) || plan.fault.ends_destination_qemu();
    let mut events = if needs_events { Some(Events::of(&bed.hosts[source]).await?) } else { None };
    let (id, mut hit) = match bed.console.migrate(moved.vm, request(bed, plan, &moved)).await? {
        Ok(id) => (Some(id), false),
        // The other program was first.
        Err(_) if plan.fault.others_move() => (None, true),
        Err(refusal) => bail!("the migration was refused: {refusal}"),
    };
    if let Some(id) = &id {
        hit = plan.moment.wait(bed, &moved, id, events.as_mut()).await?;
        plan.fault.strike(bed, &moved, id, &mut struck).await?;
    }
    clock.lap();
    plan.fault.heal(bed, &moved, &mut struck).await?;
    let back = Instant::now();
    if let Some(events) = events.as_mut().filter(|_| plan.fault.ends_destination_qemu()) {
        struck.may_end_the_vm |= events.was_suspended(moved.vm).await;
    }
    clock.lap();

    let mut judge = Judge::new(plan, &moved, id.as_deref(), before, Some(&watch));
    judge.look(bed, &mut struck, back).await?;
    clock.lap();
    match judge.home.filter(|_| !judge.spoilt) {
        Some(home) => bed.keep(plan.vm, home, judge.guest),
        None => bed.forget(plan.vm),
    }
    if judge.spoilt {
        bed.make_anew(plan.vm).await?;
    }
    let mut violations = judge.violations;
    if let Err(error) = next(bed, plan, &moved, judge.guest).await {
        violations.push(Violation::new("next", format!("{error:#}")));
    }
    clock.lap();
    Ok(Outcome {
        run: plan.run,
        plan: format!("{plan}; {} to {}", bed.hosts[source].name, bed.hosts[moved.destination].name),
        fault: plan.fault.kind(),
        moment: plan.moment.kind().to_owned(),
        hit,
        end: judge.end,
        ms: clock.laps(),
        violations,
        observed: judge.observed,
        record: judge.record,
    })
}

pub fn request(bed: &Bed, plan: &Plan, moved: &Move) -> Value {
    json!({
        "destination": bed.hosts[moved.destination].name,
        "bandwidth_mib_s": plan.bandwidth_mib_s,
        "way": if plan.direct { "direct" } else { "peer-to-peer" },
        "remove_source_disks": plan.remove_source_disks,
    })
}

/// Asks for the migration after a run. Where an old image is in the way it has to be refused; then that is removed, as the refusal
/// says.
async fn ask_for_next(bed: &Bed, plan: &Plan, home: usize, destination: usize) -> Result<String> {
    let image = bed.image(plan.vm, destination);
    let request = || json!({"destination": bed.hosts[destination].name});
    if plan.vm.disk == Disk::Copied && image.exists() {
        match bed.console.migrate(plan.vm.name, request()).await? {
            Ok(_) => bail!("the next migration was accepted, although {} is in its way", image.display()),
            Err(refusal) if refusal.contains(&plan.vm.file()) && image.exists() => {}
            Err(refusal) => bail!("the next migration was refused: {refusal}; {} was in its way", image.display()),
        }
        bed.remove_old_images(plan.vm, Some(home)).await?;
    }
    match bed.console.migrate(plan.vm.name, request()).await? {
        Ok(id) => Ok(id),
        Err(refusal) => bail!("the next migration was refused: {refusal}"),
    }
}

/// The migration after a run: to where the VM should have gone, or back. `guest` is what it did at last.
pub async fn next(bed: &mut Bed, plan: &Plan, moved: &Move, guest: Option<Facts>) -> Result<()> {
    bed.console_knows_hosts().await?;
    let Ready { host: source, guest: before, damage } = bed.ensure_vm(plan.vm).await?;
    if let Some(damage) = damage {
        bail!("after it was judged: {damage}");
    }
    let destination = if source == moved.source { moved.destination } else { moved.source };
    let id = ask_for_next(bed, plan, source, destination).await?;
    let started = Instant::now();
    let record = loop {
        let record = bed.console.record(&id).await?;
        if record.has_ended() || started.elapsed() > NEXT_LIMIT {
            break record;
        }
        sleep(LOOK_AGAIN).await;
    };
    if record.phase() != "succeeded" {
        bail!("the next migration: {}; {}", record.told(), record.0);
    }
    let sights = bed.look(moved.vm).await;
    for (host, sight) in sights.iter().enumerate() {
        let as_it_should_be = match sight {
            Sight::Absent => host != destination,
            there if plan.vm.runs => host == destination && there.runs(),
            there => host == destination && !there.is_active(),
        };
        if !as_it_should_be {
            bail!("after the next migration: {}", shown(bed, &sights));
        }
    }
    bed.keep(plan.vm, destination, before);
    let same_life = |guest: &Facts| before.is_some_and(|before| before.life == guest.life);
    let Some(before) = guest.filter(same_life).or(before) else { return Ok(()) };
    let after = Facts::read(&bed.hosts[destination], moved.vm).await?;
    match after.differs_from_earlier(&before) {
        Some(wrong) => bail!("after the next migration: {wrong}"),
        None => Ok(()),
    }
}

/// What all hosts say, in a line.
pub fn shown(bed: &Bed, sights: &[Sight]) -> String {
    let hosts = bed.hosts.iter().zip(sights).map(|(host, sight)| format!("{}: {sight}", host.name));
    hosts.collect::<Vec<_>>().join(", ")
}

/// Takes the times of a run's parts.
pub struct Clock {
    last: Instant,
    laps: Vec<u64>,
}

impl Clock {
    pub fn start() -> Self {
        Self { last: Instant::now(), laps: Vec::new() }
    }

    pub fn lap(&mut self) {
        self.laps.push(u64::try_from(self.last.elapsed().as_millis()).unwrap_or(u64::MAX));
        self.last = Instant::now();
    }

    pub fn laps(self) -> [u64; 4] {
        let mut laps = [0; 4];
        laps.iter_mut().zip(self.laps).for_each(|(to, from)| *to = from);
        laps
    }
}
