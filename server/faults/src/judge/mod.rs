//! What has to hold after a run, once everything that was struck is back. libvirt and the guest are asked; the console is
//! believed nothing.

mod copies;
mod guest;

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{
    bed::{Bed, HOSTS},
    console::Console,
    fault::{Fault, Struck, Tool},
    guest::Facts,
    host::Sight,
    plan::Plan,
    record::Record,
    run::{Move, shown},
    violation::Violation,
    vm::Disk,
};

/// Within this time of all hosts' being back, a migration has ended, or says what it waits for.
const END_LIMIT: Duration = Duration::from_secs(90);
/// Within this time nothing is left of what the migration made.
const LEFTOVERS_LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

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
        let mut homes = (0..HOSTS).filter(|&host| self.is_at(host, sights));
        let (Some(home), None) = (homes.next(), homes.next()) else { return Ok(()) };
        if !record.has_ended() || record.needs_attention() {
            return Ok(());
        }
        // Whether it was to be removed and could be, the record says; it is never removed too early.
        let old = (home != self.moved.source).then_some(self.moved.source);
        loop {
            let sights = bed.look(self.moved.vm).await;
            let left = bed.left(self.plan.vm, home, old).await?;
            let clean = sights.iter().enumerate().all(|(host, sight)| host == home || *sight == Sight::Absent);
            // A copy of what others have taken away is not removed: it may be the only one.
            let is_told = self.plan.fault.others_move() && record.leaves_to_a_person(&self.plan.vm.file());
            if clean && (left.is_empty() || is_told) {
                return Ok(());
            }
            if back.elapsed() > LEFTOVERS_LIMIT {
                self.violated("leftover", format!("{left:?}; {}; {}", record.told(), shown(bed, &sights)));
                return Ok(());
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// How many QEMUs of the VM there are.
fn active(sights: &[Sight]) -> usize {
    sights.iter().filter(|sight| sight.is_active()).count()
}

/// How many copies execute.
fn running(sights: &[Sight]) -> usize {
    sights.iter().filter(|sight| sight.runs()).count()
}
