//! The end of a migration: both hosts are asked until they agree, and what they agree on is written down.

use std::time::Duration;

use model::{Code, Outcome, Phase, Problem, text};
use tokio::time::{Instant, sleep};

use crate::{
    NotMigrated, Statistics,
    engine::lock,
    runner::{Claim, Runner},
    verify::{Presence, Verdict, verdict},
};

/// Between two questions where the VM is.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// How long hosts have to agree. A libvirt daemon that was killed is back within seconds and then cleans up; a host that
/// stays away longer is a matter for a person, and the VM must not stay locked that long.
const LIMIT: Duration = Duration::from_secs(60);
/// How long a silent source is waited for while the destination does not run the VM. Peer-to-peer it may be sending all the
/// while, and nothing could be done to a VM on a host that does not answer anyway.
const SILENT_LIMIT: Duration = Duration::from_secs(15 * 60);
/// How long libvirt may take to clear a job away after it has said that it is over (measured: 1.5 s after a cancel). A job that
/// stays longer is another one: somebody else moves the VM.
const TAIL_LIMIT: Duration = Duration::from_secs(10);
/// How long a contradiction (two copies, or none) must last: the hosts are not asked at the very same moment, and each is in
/// between for a while.
const CONTRADICTION_LIMIT: Duration = Duration::from_secs(5);

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
                self.remove_source_disks(&claim).await;
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

    /// Asks both hosts until they agree, or for too long.
    async fn agree(&mut self, claim: &Claim) -> Verdict {
        let kept = self.migration.options.keep_source_definition && claim.is_ok();
        let mut begun = Instant::now();
        let mut agreed_until_now = Instant::now();
        loop {
            let (mut source, destination) = self.ask_both().await;
            if source == Presence::Sending && is_our_connections_fault(claim) {
                // It goes on without us; so the verdict has to wait.
                self.watch_until_gone().await;
                begun = Instant::now();
                continue;
            }
            if source == Presence::Sending && begun.elapsed() > TAIL_LIMIT {
                source = Presence::Active;
            }
            let nobody_has_it = source == Presence::Unknown && destination != Presence::Active;
            let limit = if nobody_has_it { SILENT_LIMIT } else { LIMIT };
            let verdict = verdict(self.migration.mode, kept, source, destination);
            match verdict {
                Verdict::Moved | Verdict::Stayed => return verdict,
                Verdict::Unsettled if begun.elapsed() > limit => return verdict,
                Verdict::Unsettled => agreed_until_now = Instant::now(),
                Verdict::Both | Verdict::Neither if agreed_until_now.elapsed() > CONTRADICTION_LIMIT => return verdict,
                Verdict::Both | Verdict::Neither => {}
            }
            sleep(ASK_AGAIN).await;
        }
    }

    async fn ask_both(&self) -> (Presence, Presence) {
        tokio::join!(self.ask(true), self.ask(false))
    }

    /// What one host says now.
    async fn ask(&self, source: bool) -> Presence {
        let vm = self.migration.vm;
        let host = if source { &self.migration.source } else { &self.migration.destination };
        let Ok(connection) = self.engine.inventory().connection(host) else { return Presence::Unknown };
        let Ok(copy) = connection.copy(vm).await else { return Presence::Unknown };
        let presence = Presence::of(copy.as_ref());
        self.engine.inventory().set_copy(host, vm, copy);
        match presence {
            Presence::Active if source => match connection.job(vm).await {
                Ok(None) => Presence::Active,
                Ok(Some(_)) => Presence::Sending,
                Err(_) => Presence::Unknown,
            },
            presence => presence,
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
            Verdict::Neither => (
                format!("{vm} runs neither on {source} nor on {destination}."),
                format!("Was it shut down meanwhile? If not, start it on one of the two: {source}, if in doubt."),
            ),
            _ => (
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
