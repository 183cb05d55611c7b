//! How many copies there are; what the record says of it, and what comes of the step that it offers.

use std::time::Duration;

use anyhow::Result;
use reqwest::Method;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{Judge, LOOK_AGAIN, active, running};
use crate::{
    bed::Bed,
    host::Sight,
    record::Record,
    run::{Move, shown},
    vm::Disk,
};

/// Within this time two copies are told.
const TOLD_LIMIT: Duration = Duration::from_secs(5);
/// Within this time what needed attention is settled, once one copy is left.
const SETTLED_LIMIT: Duration = Duration::from_secs(30);
/// How many steps it may take until exactly one copy is left.
const MOST_STEPS: usize = 2;
/// Within this time a step that was taken has an effect.
const STEP_LIMIT: Duration = Duration::from_secs(30);

impl Judge<'_> {
    /// Notes what libvirt says of the copies, twice.
    pub(super) async fn observe(&mut self, bed: &Bed, sights: &[Sight]) {
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

    /// Two copies run: the record says so and offers a step in time, or one of them is gone.
    pub(super) async fn is_told(&mut self, bed: &Bed, id: &str, back: Instant) -> Result<()> {
        loop {
            let (record, sights) = (bed.console.record(id).await?, bed.look(self.moved.vm).await);
            if (record.needs_attention() && record.step().is_some()) || running(&sights) < 2 {
                return Ok(());
            }
            if back.elapsed() > TOLD_LIMIT {
                let now = format!("{}; {}", record.told(), shown(bed, &sights));
                self.violated("two running", format!("not told in time, or without a step: {now}"));
                return Ok(());
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until exactly one copy is active, or the record says that there are two and offers a step, which is then taken. What
    /// the hosts say at last.
    pub(super) async fn until_told_or_settled(&mut self, bed: &Bed, id: &str, record: Record) -> Result<Vec<Sight>> {
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
            if record.needs_attention() && self.is_undecidable(&sights) {
                return self.decide(bed, id, &record).await;
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

    /// Whether libvirt does not tell if the VM ran at the destination, so that no step can be safe: the source has it paused, and the
    /// destination's daemon ended its copy when it was started again.
    fn is_undecidable(&self, sights: &[Sight]) -> bool {
        let Move { source, destination, .. } = *self.moved;
        let is_paused = matches!(&sights[source], Sight::Copy(state, _) if state == "paused");
        let is_lost = matches!(&sights[destination], Sight::Copy(state, why) if state == "shut off" && why == "daemon");
        is_paused && is_lost && active(sights) == 1
    }

    /// Does what a person does where no step is offered, and has looked at the log of the destination's QEMU: resumes the source's copy.
    /// The record is settled by that.
    async fn decide(&mut self, bed: &Bed, id: &str, record: &Record) -> Result<Vec<Sight>> {
        self.observed.push(format!("told, without a step: {}", record.told()));
        // The destination's may have written to a disk that both have.
        self.spoilt |= self.plan.vm.disk != Disk::Copied;
        bed.hosts[self.moved.destination].virsh(&["undefine", self.moved.vm]).await?;
        bed.hosts[self.moved.source].virsh(&["resume", self.moved.vm]).await?;
        let decided = Instant::now();
        loop {
            let sights = bed.look(self.moved.vm).await;
            let record = bed.console.record(id).await?;
            if running(&sights) == 1 && !record.needs_attention() {
                return Ok(sights);
            }
            if decided.elapsed() > SETTLED_LIMIT {
                let now = format!("{}; {}", record.told(), shown(bed, &sights));
                self.violated("attention", format!("after a person resumed it: {now}"));
                return Ok(sights);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Takes the step that the record offers. No more than one copy runs after it, and exactly one is left: after a second step, where
    /// the first one was to pause or to turn off a copy.
    pub(super) async fn take(&mut self, bed: &Bed, id: &str, mut step: Value) -> Result<Vec<Sight>> {
        let path = format!("/api/migrations/{id}/step");
        let first = Instant::now();
        let mut taken = 0;
        loop {
            self.spoilt |= step["act"] == "start";
            let (status, answer) = bed.console.ask(Method::POST, &path, Some(step.clone())).await?;
            taken += usize::from(status.is_success());
            if taken > MOST_STEPS {
                self.violated("step", format!("a step follows the other: {step} is number {taken}"));
            }
            if status.is_success() && running(&bed.look(self.moved.vm).await) > 1 {
                self.violated("step", format!("more than one copy runs after {step}"));
            }
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
}
