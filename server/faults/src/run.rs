//! One run: a migration in which something goes wrong, the judgement, and the next migration, in which nothing does.

use std::time::Duration;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    bed::Bed,
    guest::Facts,
    host::Sight,
    judge::{Judge, Violation},
    moment::{Events, Moment},
    plan::Plan,
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
    /// How long the run took, in ms.
    pub ms: u64,
    /// What was not as it has to be.
    pub violations: Vec<Violation>,
    /// What libvirt said, for a person.
    pub observed: Vec<String>,
    /// The record and its history.
    pub record: Value,
}

/// Does a run. An error is a bed that is broken, or a run that could not be begun.
pub async fn run(bed: &mut Bed, plan: &Plan) -> Result<Outcome> {
    let started = Instant::now();
    let (source, before) = bed.ensure_guest(plan.vm).await?;
    let moved = Move { vm: plan.vm.name, source, destination: plan.destination(source) };
    let events = match plan.moment {
        Moment::Switch(_) => Some(Events::of(&bed.hosts[source]).await?),
        _ => None,
    };
    let id = match bed.console.migrate(moved.vm, request(bed, plan, &moved)).await? {
        Ok(id) => id,
        Err(refusal) => bail!("the migration was refused: {refusal}"),
    };
    let hit = plan.moment.wait(bed, &moved, &id, events).await?;
    plan.fault.strike(bed, &moved);
    plan.fault.heal(bed, &moved).await?;

    let mut judge = Judge::new(plan, &moved, &id, before);
    judge.look(bed).await?;
    let mut violations = judge.violations;
    if let Err(error) = next(bed, plan, &moved, judge.guest).await {
        violations.push(Violation::new("next", format!("{error:#}")));
    }
    Ok(Outcome {
        run: plan.run,
        plan: format!("{plan}; {} to {}", bed.hosts[source].name, bed.hosts[moved.destination].name),
        fault: plan.fault.kind(),
        moment: plan.moment.kind().to_owned(),
        hit,
        end: judge.end,
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        violations,
        observed: judge.observed,
        record: judge.record,
    })
}

fn request(bed: &Bed, plan: &Plan, moved: &Move) -> Value {
    json!({
        "destination": bed.hosts[moved.destination].name,
        "bandwidth_mib_s": plan.bandwidth_mib_s,
        "way": if plan.direct { "direct" } else { "peer-to-peer" },
    })
}

/// The migration after a run: to where the VM should have gone, or back.
async fn next(bed: &mut Bed, plan: &Plan, moved: &Move, guest: Option<Facts>) -> Result<()> {
    let (source, before) = bed.ensure_guest(plan.vm).await?;
    let destination = if source == moved.source { moved.destination } else { moved.source };
    let request = json!({"destination": bed.hosts[destination].name});
    let id = match bed.console.migrate(moved.vm, request).await? {
        Ok(id) => id,
        Err(refusal) => bail!("the next migration was refused: {refusal}"),
    };
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
    let right =
        |(host, sight): (usize, &Sight)| if host == destination { sight.runs() } else { *sight == Sight::Absent };
    if !sights.iter().enumerate().all(right) {
        bail!("after the next migration: {}", shown(bed, &sights));
    }
    let after = Facts::read(&bed.hosts[destination], moved.vm).await?;
    match after.differs_from_earlier(&guest.filter(|guest| guest.life == before.life).unwrap_or(before)) {
        Some(wrong) => bail!("after the next migration: {wrong}"),
        None => Ok(()),
    }
}

/// What all hosts say, in a line.
pub fn shown(bed: &Bed, sights: &[Sight]) -> String {
    let one = |(host, sight): (&crate::host::Host, &Sight)| format!("{}: {sight}", host.name);
    bed.hosts.iter().zip(sights).map(one).collect::<Vec<_>>().join(", ")
}
