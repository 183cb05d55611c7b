//! The record of a migration under way: the one place that changes it, writes it to the store and shows it.

mod ledger;

use std::sync::Arc;

use model::{
    Act, Acted, ControlFlow, DiskMove, Migration, MigrationEvent, Outcome, Phase, Policy, Problem, Progress, Step, text,
};

use crate::{context::Context, error::Error, hypervisor::Statistics};

/// The record, as it is kept and shown.
pub(super) struct Journal {
    context: Arc<Context>,
    record: Migration,
    /// The pool and the name of a volume that its host did not stop writing to.
    hanging: Option<(String, String)>,
}

impl Journal {
    pub(super) fn new(context: Arc<Context>, record: Migration) -> Self {
        Self { context, record, hanging: None }
    }

    /// The migration as it is now.
    pub(super) fn record(&self) -> &Migration {
        &self.record
    }

    /// Since it was asked for, in ms.
    pub(super) fn elapsed_ms(&self) -> u64 {
        self.context.now_ms().saturating_sub(self.record.created_at_ms)
    }

    /// Enters a phase.
    pub(super) async fn enter(&mut self, phase: Phase) {
        if self.transition(phase) {
            self.write(format!("{}.", phase.label())).await;
        }
    }

    /// Writes down that a cancel was asked for, and by whom.
    pub(super) async fn cancel_requested(&mut self, by: &str) {
        self.record.cancel_requested = true;
        self.write(format!("{by} asked to cancel.")).await;
    }

    /// Goes on as a direct migration.
    pub(super) async fn go_direct(&mut self, text: String) {
        self.record.control_flow = Some(ControlFlow::Direct);
        self.write(text).await;
    }

    /// Follows another policy from now on. Written with the next entry.
    pub(super) fn follow_policy(&mut self, policy: Policy) {
        self.record.policy = policy;
    }

    /// The guest may pause for so long, in ms.
    pub(super) fn limit_pause(&mut self, ms: u32) {
        self.record.pause_limit_ms = Some(ms);
    }

    /// What libvirt is asked to be ready for; none leaves it as it is. Written with the next entry.
    pub(super) fn prepare(&mut self, slows_guest: Option<bool>, post_copy: Option<bool>) {
        self.record.slows_guest = slows_guest.unwrap_or(self.record.slows_guest);
        self.record.post_copy = post_copy.unwrap_or(self.record.post_copy);
    }

    /// Over how many connections its memory goes; none is the ordinary one.
    pub(super) fn connections(&mut self, count: Option<u8>) {
        self.record.connections = count;
    }

    /// What QEMU is told that the network carries during the pause, in MiB/s; none if it is told nothing.
    pub(super) fn switchover(&mut self, mib_s: Option<u32>) {
        self.record.switchover_mib_s = mib_s;
    }

    /// Writes down what was done to the migration while it runs.
    pub(super) async fn act(&mut self, what: Acted, by: Option<String>, text: String) {
        if let Acted::Pause { ms } = what {
            self.limit_pause(ms);
        }
        self.record.acts.push(Act { elapsed_ms: self.elapsed_ms(), what, by });
        self.write(text).await;
    }

    /// Whether QEMU slows the guest more than the last act says.
    pub(super) fn is_slowed_anew(&self, percent: u8) -> bool {
        let said = self.record.acts.iter().rev().find_map(|act| match act.what {
            Acted::Slowed { percent } => Some(percent),
            _ => None,
        });
        percent > said.unwrap_or_default()
    }

    /// Shows a problem while the migration goes on (it waits for a person, say), or that there is none any more.
    pub(super) async fn set_problem(&mut self, problem: Option<Problem>, text: String) {
        self.record.problem = problem;
        self.write(text).await;
    }

    /// Takes over new figures. [`Self::publish`] shows them.
    pub(super) fn set_progress(&mut self, progress: Progress) {
        self.record.progress = progress;
    }

    /// Shows the migration as it is now on the pages.
    pub(super) fn publish(&self) {
        self.show(self.record.clone());
    }

    fn show(&self, record: Migration) {
        self.context.inventory().set_migration(record);
    }

    /// Keeps the migration as it is now, with an entry in its history, and shows it. While the store can't be written the migration
    /// goes on all the same: what was written is kept, and should the console die, the next one finds the migration open and asks both
    /// hosts.
    pub(super) async fn write(&mut self, text: String) {
        self.update(Some(text)).await;
    }

    /// The same, where there may be nothing to say in the history.
    async fn update(&mut self, text: Option<String>) {
        let event = text.map(|text| self.event(text));
        self.keep(event).await;
        self.publish();
    }

    /// The same, of what is to be done next.
    ///
    /// # Errors
    /// [`Error::Store`] if it can't be written now: then it must not be done, and the history does not tell it.
    pub(super) async fn write_durably(&mut self, text: String) -> Result<(), Error> {
        let event = self.event(text);
        let written = self.context.records().write_now(&self.record, event).await;
        self.publish();
        written
    }

    /// The same as [`Self::write`] without showing it.
    async fn keep(&self, event: Option<MigrationEvent>) {
        if let Err(error) = self.context.records().write(&self.record, event).await {
            tracing::warn!(migration = %self.record.id, %error, "what is to be written of a migration has to wait");
        }
    }

    /// Returns when the store has the migration as it is now. While it waits, it shows why.
    pub(super) async fn until_written(&self) {
        let id = self.record.id;
        let Some(fault) = self.context.records().fault(id).await else { return };
        self.show(Migration { problem: Some(Error::Store(fault).into()), ..self.record.clone() });
        self.context.records().written(id).await;
        self.publish();
    }

    /// Writes the end down, with libvirt's final figures if there are any. It is shown only when the store has it, however long that
    /// takes: no page may show an end that a restart would not know of, while the store refuses the VM's next migration.
    pub(super) async fn end(&mut self, phase: Phase, problem: Option<Problem>, figures: Option<Statistics>) {
        let before = self.record.clone();
        if !self.transition(phase) {
            return;
        }
        self.conclude(problem, figures.unwrap_or_default());
        let text = self.summary();
        tracing::info!(migration = %self.record.id, phase = phase.as_str(), "{text}");
        self.write_end(text, before).await;
    }

    /// The end in a sentence, and in a second one what needs attention or is to be known of a VM that has moved.
    fn summary(&self) -> String {
        let summary = text::summary(&self.record);
        match &self.record.problem {
            Some(problem) if matches!(self.record.phase, Phase::NeedsAttention | Phase::Succeeded) => {
                format!("{summary} {}", problem.sentence)
            }
            _ => summary,
        }
    }

    /// Writes an end down, however long that takes, and shows it then. A migration that was open `before` shows what it waits for.
    async fn write_end(&mut self, text: String, before: Migration) {
        let event = self.event(text);
        if let Err(error) = self.context.records().write(&self.record, Some(event)).await {
            tracing::error!(migration = %self.record.id, %error, "a migration's end has to wait until it can be written");
            if !before.phase.has_ended() {
                self.show(Migration { problem: Some(error.into()), ..before });
            }
            self.context.records().written(self.record.id).await;
        }
        self.publish();
    }

    /// What a migration that is about to end as needing attention offers.
    pub(super) fn offer(&mut self, step: Option<Step>) {
        self.record.step = step;
    }

    /// Of an ended migration: what needs attention now. The history tells it once: a host that comes and goes would fill it.
    pub(super) async fn attention(&mut self, problem: Problem, step: Option<Step>) {
        let text = problem.sentence.clone();
        (self.record.problem, self.record.step) = (Some(problem), step);
        let events = self.context.store().events(self.record.id).await.unwrap_or_default();
        let is_new = events.iter().all(|event| !event.text.ends_with(&text));
        self.update(is_new.then_some(text)).await;
    }

    /// Of a migration that needed attention since its post-copy had broken off: it goes on. Whoever has the next turn finds it open.
    pub(super) async fn go_on_in_post_copy(&mut self, by: &str, text: String) {
        if !self.transition(Phase::PostCopy) {
            return;
        }
        let record = &mut self.record;
        (record.problem, record.step, record.outcome, record.ended_at_ms) = (None, None, None, None);
        self.act(Acted::Recovered, Some(by.to_owned()), text).await;
    }

    /// Ends the doubt about a migration that needed attention. What was measured stays as it was when it ended.
    pub(super) async fn settle(&mut self, phase: Phase, problem: Option<Problem>, text: String) {
        let before = self.record.clone();
        if !self.transition(phase) {
            return;
        }
        (self.record.problem, self.record.step) = (problem, None);
        if phase == Phase::Succeeded {
            self.hand_over_leftovers();
            (self.record.progress.percent, self.record.progress.bytes_remaining) = (100.0, 0);
        }
        tracing::info!(migration = %self.record.id, phase = phase.as_str(), "{text}");
        self.write_end(text, before).await;
    }

    /// Every change of phase. One that is not in the state machine is a bug: it is logged and not made. A migration whose end is
    /// refused stays open in the store, so that the next console asks its hosts.
    fn transition(&mut self, to: Phase) -> bool {
        let from = self.record.phase;
        let is_legal = from.may_become(to);
        if is_legal {
            if from == Phase::Queued {
                self.record.waited_ms = self.elapsed_ms();
            }
            self.record.phase = to;
        } else {
            tracing::error!(migration = %self.record.id, from = from.as_str(), to = to.as_str(), "impossible transition");
        }
        is_legal
    }

    /// The outcome, by what is known now.
    fn conclude(&mut self, problem: Option<Problem>, figures: Statistics) {
        let now = self.context.now_ms();
        let succeeded = self.record.phase == Phase::Succeeded;
        if succeeded {
            self.hand_over_leftovers();
        }
        let migration = &mut self.record;
        migration.ended_at_ms = Some(now);
        migration.problem = problem;
        migration.progress.time_left = None;
        migration.progress.elapsed_ms = now.saturating_sub(migration.created_at_ms);
        if succeeded {
            migration.progress.percent = 100.0;
            migration.progress.bytes_remaining = 0;
            migration.progress.bytes_total = figures.data_total.max(migration.progress.bytes_total);
            migration.progress.bytes_processed = figures.data_processed.max(migration.progress.bytes_processed);
        }
        let bytes = figures.data_processed.max(migration.progress.bytes_processed);
        migration.outcome = Some(Outcome {
            total_ms: migration.progress.elapsed_ms,
            // Before the end libvirt's figure is what QEMU expects, not what was.
            downtime_ms: figures.downtime_ms.filter(|_| succeeded),
            bytes,
            average_bytes_s: bytes.saturating_mul(1000).checked_div(figures.elapsed_ms).unwrap_or(0),
        });
    }

    fn disk(&mut self, target: &str) -> Option<&mut DiskMove> {
        self.record.disks.iter_mut().find(|disk| disk.target == target)
    }

    fn event(&self, text: String) -> MigrationEvent {
        MigrationEvent { at_ms: self.context.now_ms(), phase: self.record.phase, text }
    }
}

#[cfg(test)]
mod tests;
