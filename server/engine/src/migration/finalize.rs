//! The end of a migration: what both hosts agree on is written down.

use model::{Code, Outcome, Phase, Problem, text};

use crate::{
    NotMigrated, Statistics,
    clock::lock,
    migration::lifecycle::{Claim, Runner},
    migration::verdict::Verdict,
};

impl Runner<'_> {
    /// Finds out where the VM is and ends the migration accordingly, whatever libvirt claimed.
    pub(crate) async fn settle(&mut self, claim: Claim) {
        if claim.is_ok() {
            self.migration.progress = self.tracker.switched(self.elapsed_ms());
        }
        self.enter(Phase::Verifying).await;
        match self.agree(&claim).await {
            Verdict::Moved => {
                let figures = self.figures().await;
                // Where libvirt refused, somebody else has moved the VM, and knows what is to stay.
                if claim.is_ok() || is_our_connections_fault(&claim) {
                    self.forget_at_source().await;
                }
                self.remove_source_disks(&claim).await;
                self.note_parting().await;
                self.end(Phase::Succeeded, None, figures).await;
            }
            Verdict::Stayed => {
                let (phase, problem) = self.why_it_stayed(claim);
                self.end_where_it_was(phase, problem, self.last_sample).await;
            }
            contradiction => {
                let problem = self.attention(contradiction, claim);
                self.end(Phase::NeedsAttention, Some(problem), self.last_sample).await;
            }
        }
    }

    /// libvirt's final figures, from wherever they can be had.
    async fn figures(&self) -> Option<Statistics> {
        let told = *lock(&self.handle.completed);
        if told.is_some() {
            return told;
        }
        let connection = self.engine.inventory().connection(&self.migration.destination).ok()?;
        connection.completed_job(self.migration.vm).await.ok().flatten().or(self.last_sample)
    }

    pub(crate) fn why_it_stayed(&self, claim: Claim) -> (Phase, Option<Problem>) {
        let unknown = is_our_connections_fault(&claim);
        match claim.map_err(NotMigrated::into_problem) {
            Err(Problem { code, .. }) if self.migration.cancel_requested && (unknown || code == Code::Cancelled) => {
                (Phase::Cancelled, None)
            }
            Err(problem @ Problem { code: Code::Cancelled, .. }) => {
                let sentence = "The migration was aborted from outside this console.";
                (Phase::Failed, Some(Problem { sentence: sentence.to_owned(), ..problem }))
            }
            Err(problem) => (Phase::Failed, Some(problem)),
            Ok(()) => {
                let sentence = "libvirt reported success, but the VM is still on the source.";
                (Phase::Failed, Some(Problem::new(Code::Hypervisor, sentence).with_fix("Try again.")))
            }
        }
    }

    fn attention(&self, verdict: Verdict, claim: Claim) -> Problem {
        let (vm, source, destination) = (&self.migration.vm_name, &self.migration.source, &self.migration.destination);
        let (sentence, fix) = match verdict {
            Verdict::Both => (
                format!("{source} and {destination} both have {vm}."),
                "Find out which copy is the right one and turn the other off, before disks are damaged.".to_owned(),
            ),
            Verdict::Neither if claim.is_ok() => (
                format!("libvirt says that {vm} has arrived, but {destination} does not have it, nor has {source}."),
                format!(
                    "Was it shut down meanwhile? If not, look which machine {source} takes for {destination}, and do not start {vm} before \
                     you know: it may run there."
                ),
            ),
            Verdict::Neither => (
                format!("{vm} runs neither on {source} nor on {destination}."),
                format!("Was it shut down meanwhile? If not, start it on one of the two: {source}, if in doubt."),
            ),
            Verdict::LeftPaused => (
                format!("{source} has {vm} paused, and it may have run on {destination} and ended there or moved on."),
                format!(
                    "If it has never run on {destination}, resume it on {source}. If it has, force it off on {source}."
                ),
            ),
            Verdict::ToResume => (
                format!("{source} has {vm} paused, and could not let it go on."),
                format!("Resume it on {source}: {destination} does not have it."),
            ),
            Verdict::ToDrop => (
                format!("{vm} runs on {destination}, and {source} could not turn off the copy that it has paused."),
                format!("Force it off on {source}, and nowhere else."),
            ),
            Verdict::Moved | Verdict::Stayed | Verdict::Unsettled => (
                format!("{source} and {destination} could not both say where {vm} runs."),
                "See that both hosts answer, then look at the VM before you do anything to it.".to_owned(),
            ),
        };
        let problem = Problem::new(Code::NeedsAttention, sentence).with_fix(fix);
        match claim.map_err(NotMigrated::into_problem) {
            Err(Problem { details: Some(details), .. }) => problem.with_details(details),
            Err(Problem { sentence, .. }) => problem.with_details(sentence),
            Ok(()) => problem,
        }
    }

    /// Writes the end down.
    pub(crate) async fn end(&mut self, phase: Phase, problem: Option<Problem>, figures: Option<Statistics>) {
        let now = self.engine.clock.now_ms();
        let figures = figures.unwrap_or_default();
        let migration = &mut self.migration;
        migration.phase = phase;
        migration.ended_at_ms = Some(now);
        migration.problem = problem;
        migration.progress.time_left = None;
        migration.progress.elapsed_ms = now.saturating_sub(migration.created_at_ms);
        if phase == Phase::Succeeded {
            migration.progress.percent = 100.0;
            migration.progress.bytes_remaining = 0;
            migration.progress.bytes_total = figures.data_total.max(migration.progress.bytes_total);
            migration.progress.bytes_processed = figures.data_processed.max(migration.progress.bytes_processed);
        }
        let bytes = figures.data_processed.max(migration.progress.bytes_processed);
        migration.outcome = Some(Outcome {
            total_ms: migration.progress.elapsed_ms,
            // Before the end libvirt's figure is what QEMU expects, not what was.
            downtime_ms: figures.downtime_ms.filter(|_| phase == Phase::Succeeded),
            bytes,
            average_bytes_s: bytes.saturating_mul(1000).checked_div(figures.elapsed_ms).unwrap_or(0),
        });
        let text = text::summary(migration);
        tracing::info!(migration = %migration.id, phase = phase.as_str(), "{text}");
        self.write_end(text).await;
    }
}

/// Whether libvirt did not say how it ended, because we lost it or were not there.
pub(crate) fn is_our_connections_fault(claim: &Claim) -> bool {
    matches!(claim, Err(NotMigrated::Lost(_)))
}
