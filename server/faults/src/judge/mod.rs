//! What has to hold after a run, once everything that was struck is back. libvirt and the guest are asked; the console is
//! believed nothing.

mod acts;
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
    watch::{Doubling, Watch, now_ms},
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
    /// Who has looked at the copies in between; none where too many VMs move.
    watch: Option<&'a Watch>,
    /// Whether a QEMU was ended that may have been the VM.
    may_be_off: bool,
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
    /// Where the VM is well; none if it may not be.
    pub home: Option<usize>,
    /// What the guest did at last.
    pub guest: Option<Facts>,
    /// The record and its history.
    pub record: Value,
}

impl<'a> Judge<'a> {
    pub fn new(
        plan: &'a Plan,
        moved: &'a Move,
        id: Option<&'a str>,
        before: Option<Facts>,
        watch: Option<&'a Watch>,
    ) -> Self {
        Self {
            plan,
            moved,
            id,
            before,
            watch,
            may_be_off: false,
            home: None,
            spoilt: false,
            violations: Vec::new(),
            observed: Vec::new(),
            end: String::new(),
            guest: None,
            record: Value::Null,
        }
    }

    /// Judges. Everything is back since `back`.
    pub async fn look(&mut self, bed: &mut Bed, struck: &mut Struck, back: Instant) -> Result<()> {
        self.violations.append(&mut struck.violations);
        self.may_be_off = struck.may_end_the_vm;
        let sights = bed.look(self.moved.vm).await;
        let now = (running(&sights) > 1).then(|| Doubling::now(&sights));
        if self.plan.vm.runs && active(&sights) != 1 {
            self.observe(bed, &sights).await;
        }
        let mut sights = match self.id {
            Some(id) => {
                if now.is_some() {
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
        if let Some(id) = &struck.besides {
            self.end(&bed.console, id, back).await?;
        }
        let mut records = rival.clone().into_iter().collect::<Vec<_>>();
        if let Some(id) = self.id {
            records.push(bed.console.record(id).await?);
        }
        self.doubled(bed, &records, now);
        self.runs_once(bed, &sights);
        if let Some(id) = self.id {
            let record = bed.console.record(id).await?;
            self.end = record.told();
            let destination = &bed.hosts[self.moved.destination];
            let moved_on = rival.as_ref().filter(|rival| rival.moved_from(destination.name));
            if moved_on.is_none() || record.phase() != "succeeded" {
                self.agrees(&record, self.moved.destination, &sights, bed);
            }
            sights = self.leaves_nothing(bed, &record, sights, back).await?;
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

    /// Where two copies ran: that is no act of vmferry's. libvirt's alone may spoil a disk that does not lock.
    fn doubled(&mut self, bed: &Bed, records: &[Record], now: Option<Doubling>) {
        let before = self.watch.map(Watch::doublings).unwrap_or_default();
        for doubling in before.into_iter().chain(now) {
            let Doubling { first_ms, last_ms, sights } = doubling;
            let seen = format!("two copies ran for {} ms or longer: {}", last_ms - first_ms, shown(bed, &sights));
            match records.iter().find_map(|record| acts::act_before(&record.0, last_ms)) {
                Some(act) => self.violated("doubled", format!("{seen}; before that: {act}")),
                None => {
                    self.spoilt |= self.plan.vm.disk == Disk::Served;
                    self.observed.push(seen);
                }
            }
        }
    }

    /// Waits for the end of the migration.
    async fn end(&mut self, console: &Console, id: &str, back: Instant) -> Result<Record> {
        loop {
            let record = console.record(id).await?;
            if record.has_ended() {
                let back_ms = now_ms().saturating_sub(ms(back.elapsed()));
                let late = record.ended_at_ms().unwrap_or_default().saturating_sub(back_ms);
                if late > ms(END_LIMIT) {
                    self.violated("no end", format!("it ended {late} ms after all hosts were back: {}", record.told()));
                }
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
        if count == 0 && !self.may_be_off {
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
        let may_be_off = self.may_be_off && is_at.is_empty();
        let moved_on = matches!(self.plan.fault, Fault::Tool(Tool::After)) && is_at == [self.moved.third()];
        let agrees = match record.phase() {
            "succeeded" => is_at == [destination] || may_be_off || moved_on,
            "failed" | "cancelled" => is_at == [source] || may_be_off,
            "moved-elsewhere" => self.plan.fault.others_move() && is_at.iter().any(|&host| host != source),
            _ => true,
        };
        if !agrees {
            self.violated("disagrees", format!("{}; {}", record.told(), shown(bed, sights)));
        }
    }

    /// Nothing of the VM may be where it is not: no definition and no image, but for the old one. What the hosts say at last.
    async fn leaves_nothing(
        &mut self,
        bed: &Bed,
        record: &Record,
        mut sights: Vec<Sight>,
        back: Instant,
    ) -> Result<Vec<Sight>> {
        let is_nowhere = !(0..HOSTS).any(|host| self.is_at(host, &sights));
        if !record.has_ended() || record.needs_attention() || (is_nowhere && !self.may_be_off) {
            return Ok(sights);
        }
        loop {
            let homes: Vec<usize> = (0..HOSTS).filter(|&host| self.is_home(host, &sights)).collect();
            let is_clean = match homes[..] {
                [home] => {
                    // Whether it was to be removed and could be, the record says; it is never removed too early.
                    let old = (home != self.moved.source).then_some(self.moved.source);
                    let left = bed.left(self.plan.vm, home, old).await?;
                    // A copy of what others have taken away is not removed: it may be the only one.
                    let is_told = self.plan.fault.others_move() && record.leaves_to_a_person(&self.plan.vm.file());
                    let is_clean = (0..HOSTS).all(|host| host == home || sights[host] == Sight::Absent);
                    if back.elapsed() > LEFTOVERS_LIMIT && !left.is_empty() && !is_told {
                        self.violated("leftover", format!("{left:?}"));
                    }
                    is_clean && (left.is_empty() || is_told)
                }
                _ => false,
            };
            if is_clean {
                return Ok(sights);
            }
            if back.elapsed() > LEFTOVERS_LIMIT {
                self.violated("leftover", format!("{}; {}", record.told(), shown(bed, &sights)));
                return Ok(sights);
            }
            sleep(LOOK_AGAIN).await;
            sights = bed.look(self.moved.vm).await;
        }
    }

    /// Whether the VM is on this host, or rests there because its QEMU was ended.
    fn is_home(&self, host: usize, sights: &[Sight]) -> bool {
        let runs = (0..HOSTS).any(|host| self.is_at(host, sights));
        self.is_at(host, sights) || (self.may_be_off && !runs && sights[host] != Sight::Absent)
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

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
