//! What has to hold after a run, once everything that was struck is back. libvirt and the guest are asked; the console is
//! believed nothing.

use std::time::Duration;

use anyhow::Result;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{
    bed::{Bed, HOSTS},
    console::Console,
    fault::{Fault, Struck, Tool},
    guest::{self, Facts},
    host::Sight,
    plan::Plan,
    record::Record,
    run::{Move, shown},
    vm::Disk,
};

/// Within this time of all hosts' being back, a migration has ended, or says what it waits for.
const END_LIMIT: Duration = Duration::from_secs(90);
/// Within this time two copies are told.
const TOLD_LIMIT: Duration = Duration::from_secs(5);
/// Within this time what needed attention is settled, once one copy is left.
const SETTLED_LIMIT: Duration = Duration::from_secs(30);
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
    /// None if the migration was refused.
    id: Option<&'a str>,
    /// What the guest had done before, if the VM runs.
    before: Option<Facts>,
    /// Whether libvirt let two copies run, on a disk that does not lock, or a step started the VM anew: its disk and memory are not
    /// what the guest expects then, whatever the console does.
    pub spoilt: bool,
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
    pub fn new(plan: &'a Plan, moved: &'a Move, id: Option<&'a str>, before: Option<Facts>) -> Self {
        Self {
            plan,
            moved,
            id,
            before,
            spoilt: false,
            violations: Vec::new(),
            observed: Vec::new(),
            end: String::new(),
            guest: None,
            record: Value::Null,
        }
    }

    /// Judges. Everything is back since just now.
    pub async fn look(&mut self, bed: &mut Bed, struck: &mut Struck) -> Result<()> {
        let back = Instant::now();
        self.violations.append(&mut struck.violations);
        let sights = bed.look(self.moved.vm).await;
        if self.plan.vm.runs && active(&sights) != 1 {
            self.observe(bed, &sights).await;
        }
        let mut sights = match self.id {
            Some(id) => {
                if running(&sights) > 1 {
                    self.spoilt |= self.plan.vm.disk == Disk::Served;
                    self.is_told(bed, id, back).await?;
                }
                let record = self.end(&bed.console, id, back).await?;
                self.until_told_or_settled(bed, id, record).await?
            }
            None => bed.look(self.moved.vm).await,
        };
        let mut rival = None;
        if let Some(id) = &struck.rival {
            rival = Some(self.end(bed.rival().await?, id, back).await?);
            sights = bed.look(self.moved.vm).await;
        }
        self.runs_once(bed, &sights);
        if let Some(id) = self.id {
            let record = bed.console.record(id).await?;
            self.end = record.told();
            self.agrees(&record, self.moved.destination, &sights, bed);
            self.leaves_nothing(bed, &record, &sights, back).await?;
        }
        if let Some(record) = rival {
            self.end = format!("{}; the other console: {}", self.end, record.told());
            let destination = bed.hosts.iter().position(|host| Some(host.name) == record.destination());
            self.agrees(&record, destination.unwrap_or(HOSTS), &sights, bed);
        }
        self.end = format!("{}; {}", self.end, shown(bed, &sights));
        self.guest_goes_on(bed, &sights).await?;
        if let Some(id) = self.id {
            self.record = bed.console.record(id).await?.0;
        }
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
        let Some(id) = self.id else { return };
        if let Ok(record) = bed.console.record(id).await {
            self.observed.push(format!("record: {}", record.told()));
        }
    }

    /// Two copies run: the record says so in time, or one of them is gone.
    async fn is_told(&mut self, bed: &Bed, id: &str, back: Instant) -> Result<()> {
        loop {
            let (record, sights) = (bed.console.record(id).await?, bed.look(self.moved.vm).await);
            if record.problem().is_some() || running(&sights) < 2 {
                return Ok(());
            }
            if back.elapsed() > TOLD_LIMIT {
                self.violated("two running", format!("not told in time: {}; {}", record.told(), shown(bed, &sights)));
                return Ok(());
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits for the end of the migration.
    async fn end(&mut self, console: &Console, id: &str, back: Instant) -> Result<Record> {
        loop {
            let record = console.record(id).await?;
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
    async fn until_told_or_settled(&mut self, bed: &Bed, id: &str, record: Record) -> Result<Vec<Sight>> {
        let ended = Instant::now();
        let mut record = record;
        loop {
            let sights = bed.look(self.moved.vm).await;
            if active(&sights) <= 1 && !record.needs_attention() {
                return Ok(sights);
            }
            if let Some(step) = record.step().cloned() {
                self.observed.push(format!("told: {}; step {step}", record.told()));
                return self.take(bed, id, step).await;
            }
            let limit = if active(&sights) == 1 { SETTLED_LIMIT } else { TOLD_LIMIT };
            if ended.elapsed() > limit {
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
            record = bed.console.record(id).await?;
        }
    }

    /// Takes the step that the record offers, and what it offers then; exactly one copy has to be left.
    async fn take(&mut self, bed: &Bed, id: &str, mut step: Value) -> Result<Vec<Sight>> {
        let path = format!("/api/migrations/{id}/step");
        self.spoilt |= step["act"] == "start";
        let first = Instant::now();
        loop {
            let (status, answer) = bed.console.ask(Method::POST, &path, Some(step.clone())).await?;
            loop {
                let sights = bed.look(self.moved.vm).await;
                let record = bed.console.record(id).await?;
                if active(&sights) == 1 && running(&sights) == 1 && !record.needs_attention() {
                    return Ok(sights);
                }
                if first.elapsed() > STEP_LIMIT {
                    let now = format!("{}; {}", record.told(), shown(bed, &sights));
                    self.violated("step", format!("after {step} ({status} {answer}): {now}"));
                    return Ok(sights);
                }
                sleep(LOOK_AGAIN).await;
                if let Some(next) = record.step().filter(|next| **next != step) {
                    step = next.clone();
                    break;
                }
            }
        }
    }

    /// Exactly one copy runs, or is there if the VM is shut off.
    fn runs_once(&mut self, bed: &Bed, sights: &[Sight]) {
        let count = (0..HOSTS).filter(|&host| self.is_at(host, sights)).count();
        if count == 0 && !self.plan.fault.may_end_the_vm() {
            self.violated("none", shown(bed, sights));
        }
        let told = self.violations.iter().any(|violation| violation.kind.starts_with("two"));
        if count > 1 && !told {
            self.violated("two", shown(bed, sights));
        }
    }

    /// Whether the VM is on this host: runs there, or is defined there if it is one that is shut off.
    fn is_at(&self, host: usize, sights: &[Sight]) -> bool {
        if self.plan.vm.runs { sights[host].runs() } else { sights[host] != Sight::Absent }
    }

    /// The record has to say what libvirt says.
    fn agrees(&mut self, record: &Record, destination: usize, sights: &[Sight], bed: &Bed) {
        let source = self.moved.source;
        let is_at: Vec<usize> = (0..HOSTS).filter(|&host| self.is_at(host, sights)).collect();
        let may_be_off = self.plan.fault.may_end_the_vm() && is_at.is_empty();
        let moved_on = matches!(self.plan.fault, Fault::Tool(Tool::After)) && is_at == [self.moved.third()];
        let agrees = match record.phase() {
            "succeeded" => is_at == [destination] || may_be_off || moved_on,
            "failed" | "cancelled" => is_at == [source] || may_be_off,
            "moved-elsewhere" => is_at.iter().any(|&host| host != source),
            _ => true,
        };
        if !agrees {
            self.violated("disagrees", format!("{}; {}", record.told(), shown(bed, sights)));
        }
    }

    /// Nothing of the VM may be where it is not: no definition and no image, but for the old one.
    async fn leaves_nothing(&mut self, bed: &Bed, record: &Record, sights: &[Sight], back: Instant) -> Result<()> {
        let home = match record.phase() {
            "succeeded" => self.moved.destination,
            "failed" | "cancelled" => self.moved.source,
            _ => return Ok(()),
        };
        if !self.is_at(home, sights) {
            return Ok(());
        }
        // Whether it was to be removed and could be, the record says; it is never removed too early.
        let old = (home == self.moved.destination).then_some(self.moved.source);
        loop {
            let sights = bed.look(self.moved.vm).await;
            let left = bed.left(self.plan.vm, home, old).await?;
            let clean = sights.iter().enumerate().all(|(host, sight)| host == home || *sight == Sight::Absent);
            if clean && left.is_empty() {
                return Ok(());
            }
            if back.elapsed() > LEFTOVERS_LIMIT {
                self.violated("leftover", format!("{left:?}; {}; {}", record.told(), shown(bed, &sights)));
                return Ok(());
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// The guest goes on from where it was, and its disk has what it wrote.
    async fn guest_goes_on(&mut self, bed: &Bed, sights: &[Sight]) -> Result<()> {
        let Some(home) = (0..HOSTS).find(|&host| self.is_at(host, sights)) else { return Ok(()) };
        let (host, vm) = (&bed.hosts[home], self.moved.vm);
        if self.spoilt {
            return Ok(());
        }
        let Some(before) = self.before else {
            if bed.disk(self.plan.vm, home)? != guest::new_disk() {
                self.violated("bytes", format!("the image on {} is not what it was", host.name));
            }
            return Ok(());
        };
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
        if let Some(wrong) = facts.differs_from_earlier(&before) {
            self.violated("guest", format!("on {}: {wrong}", host.name));
        }
        if active(sights) == 1 {
            host.virsh(&["suspend", vm]).await?;
            let facts = Facts::read(host, vm).await?;
            let wrong = guest::wrong_bytes(&bed.disk(self.plan.vm, home)?, &facts);
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
