//! What has to hold after a run, once everything that was struck is back. libvirt and the guest are asked; the console is
//! believed nothing.

use std::time::Duration;

use anyhow::Result;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{
    bed::Bed,
    guest::{self, Facts},
    host::Sight,
    plan::Plan,
    record::Record,
    run::{Move, shown},
};

/// Within this time of all hosts' being back, a migration has ended, or says what it waits for.
const END_LIMIT: Duration = Duration::from_secs(90);
/// Within this time two copies are told.
const TOLD_LIMIT: Duration = Duration::from_secs(5);
/// Within this time a step that was taken has an effect.
const STEP_LIMIT: Duration = Duration::from_secs(30);
/// Within this time nothing is left of what the migration made.
const LEFTOVERS_LIMIT: Duration = Duration::from_secs(60);
/// Within this time the guest's heart beats.
const HEARTBEAT_LIMIT: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Something that must not be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Violation {
    /// What kind, in a word.
    pub kind: String,
    /// What was seen.
    pub text: String,
}

impl Violation {
    pub fn new(kind: &str, text: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), text: text.into() }
    }
}

/// The judge of a run.
pub struct Judge<'a> {
    plan: &'a Plan,
    moved: &'a Move,
    id: &'a str,
    before: Facts,
    /// What was not as it has to be.
    pub violations: Vec<Violation>,
    /// What libvirt said, for a person.
    pub observed: Vec<String>,
    /// How the migration ended, and where the VM was.
    pub end: String,
    /// What the guest did at last.
    pub guest: Option<Facts>,
    /// The record and its history.
    pub record: Value,
}

impl<'a> Judge<'a> {
    pub fn new(plan: &'a Plan, moved: &'a Move, id: &'a str, before: Facts) -> Self {
        Self {
            plan,
            moved,
            id,
            before,
            violations: Vec::new(),
            observed: Vec::new(),
            end: String::new(),
            guest: None,
            record: Value::Null,
        }
    }

    /// Judges. Everything is back since just now.
    pub async fn look(&mut self, bed: &Bed) -> Result<()> {
        let back = Instant::now();
        let sights = bed.look(self.moved.vm).await;
        if active(&sights) != 1 {
            self.observe(bed, &sights).await;
        }
        let record = self.end(bed, back).await?;
        let sights = self.until_told_or_settled(bed, record).await?;
        let record = bed.console.record(self.id).await?;
        self.end = format!("{}; {}", record.told(), shown(bed, &sights));
        self.agrees(&record, &sights, bed);
        self.leaves_nothing(bed, &record, back).await;
        self.guest_goes_on(bed, &sights).await?;
        self.record = bed.console.record(self.id).await?.0;
        Ok(())
    }

    fn violated(&mut self, kind: &str, text: impl Into<String>) {
        self.violations.push(Violation::new(kind, text));
    }

    /// Notes what libvirt says of the copies, twice.
    async fn observe(&mut self, bed: &Bed, sights: &[Sight]) {
        for pause in [0, 3] {
            sleep(Duration::from_secs(pause)).await;
            for (host, _) in bed.hosts.iter().zip(sights).filter(|(_, sight)| **sight != Sight::Absent) {
                let said = host.describe(self.moved.vm).await;
                self.observed.push(format!("after {pause} s: {said}"));
            }
        }
        if let Ok(record) = bed.console.record(self.id).await {
            self.observed.push(format!("record: {}", record.told()));
        }
    }

    /// Waits for the end of the migration.
    async fn end(&mut self, bed: &Bed, back: Instant) -> Result<Record> {
        loop {
            let record = bed.console.record(self.id).await?;
            if record.has_ended() {
                return Ok(record);
            }
            if back.elapsed() > END_LIMIT {
                let kind = if record.problem().is_some() { "waits" } else { "no end" };
                self.violated(kind, format!("{END_LIMIT:?} after all hosts were back: {}", record.told()));
                return Ok(record);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until exactly one copy is active, or the record says that there are two and offers a step, which is then taken. What
    /// the hosts say at last.
    async fn until_told_or_settled(&mut self, bed: &Bed, record: Record) -> Result<Vec<Sight>> {
        let ended = Instant::now();
        let mut record = record;
        loop {
            let sights = bed.look(self.moved.vm).await;
            if active(&sights) <= 1 && !record.needs_attention() {
                return Ok(sights);
            }
            if let Some(step) = record.step().cloned() {
                self.observed.push(format!("told: {}; step {step}", record.told()));
                return self.take(bed, step).await;
            }
            if ended.elapsed() > TOLD_LIMIT {
                if active(&sights) > 1 {
                    let kind = if running(&sights) > 1 { "two running" } else { "two copies" };
                    let told = if record.needs_attention() { "told, no step" } else { "not told" };
                    self.violated(kind, format!("{told}: {}; {}", record.told(), shown(bed, &sights)));
                } else {
                    self.violated("attention", format!("{}; {}", record.told(), shown(bed, &sights)));
                }
                return Ok(sights);
            }
            sleep(LOOK_AGAIN).await;
            record = bed.console.record(self.id).await?;
        }
    }

    /// Takes the step that the record offers; exactly one copy has to be left.
    async fn take(&mut self, bed: &Bed, step: Value) -> Result<Vec<Sight>> {
        let path = format!("/api/migrations/{}/step", self.id);
        let (status, answer) = bed.console.ask(Method::POST, &path, Some(step.clone())).await?;
        let taken = Instant::now();
        loop {
            let sights = bed.look(self.moved.vm).await;
            if active(&sights) == 1 && running(&sights) == 1 {
                return Ok(sights);
            }
            if taken.elapsed() > STEP_LIMIT {
                let now = shown(bed, &sights);
                self.violated("step", format!("after the step {step} ({status} {answer}): {now}"));
                return Ok(sights);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// The record has to say what libvirt says.
    fn agrees(&mut self, record: &Record, sights: &[Sight], bed: &Bed) {
        let Move { source, destination, .. } = *self.moved;
        let runs: Vec<usize> = (0..sights.len()).filter(|&host| sights[host].runs()).collect();
        let may_be_off = self.plan.fault.may_end_the_vm();
        let agrees = match record.phase() {
            "succeeded" => runs == [destination] || (may_be_off && runs.is_empty()),
            "failed" | "cancelled" => runs == [source] || (may_be_off && runs.is_empty()),
            "moved-elsewhere" => !runs.is_empty() && runs != [source],
            _ => true,
        };
        if !agrees {
            self.violated("disagrees", format!("{}; {}", record.told(), shown(bed, sights)));
        }
        if runs.is_empty() && !may_be_off {
            self.violated("none runs", format!("{}; {}", record.told(), shown(bed, sights)));
        }
    }

    /// Nothing of the VM may be where it is not.
    async fn leaves_nothing(&mut self, bed: &Bed, record: &Record, back: Instant) {
        let home = match record.phase() {
            "succeeded" => self.moved.destination,
            "failed" | "cancelled" => self.moved.source,
            _ => return,
        };
        loop {
            let sights = bed.look(self.moved.vm).await;
            let left = sights.iter().enumerate().any(|(host, sight)| host != home && *sight != Sight::Absent);
            if !left {
                return;
            }
            if back.elapsed() > LEFTOVERS_LIMIT {
                self.violated("leftover", format!("{}; {}", record.told(), shown(bed, &sights)));
                return;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// The guest goes on from where it was, and its disk has what it wrote.
    async fn guest_goes_on(&mut self, bed: &Bed, sights: &[Sight]) -> Result<()> {
        let Some(index) = sights.iter().position(Sight::runs) else { return Ok(()) };
        let (host, vm) = (&bed.hosts[index], self.moved.vm);
        let first = Facts::read(host, vm).await?;
        let started = Instant::now();
        let mut facts = first;
        while facts.ticks == first.ticks && started.elapsed() < HEARTBEAT_LIMIT {
            sleep(LOOK_AGAIN).await;
            facts = Facts::read(host, vm).await?;
        }
        if facts.ticks == first.ticks {
            self.violated("guest", format!("on {} its heart does not beat: {facts:?}", host.name));
        }
        if let Some(wrong) = facts.differs_from_earlier(&self.before) {
            self.violated("guest", format!("on {}: {wrong}", host.name));
        }
        if active(sights) == 1 {
            host.virsh(&["suspend", vm]).await?;
            let facts = Facts::read(host, vm).await?;
            let wrong = guest::wrong_bytes(&bed.shared_disk(self.plan.vm)?, &facts);
            host.virsh(&["resume", vm]).await?;
            if let Some(wrong) = wrong {
                self.violated("bytes", wrong);
            }
        }
        self.guest = Some(facts);
        Ok(())
    }
}

fn active(sights: &[Sight]) -> usize {
    sights.iter().filter(|sight| sight.is_active()).count()
}

fn running(sights: &[Sight]) -> usize {
    sights.iter().filter(|sight| sight.runs()).count()
}
