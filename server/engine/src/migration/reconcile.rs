//! Where a VM is: both hosts are asked until they agree, and a copy that was left paused and that nobody else looks after goes on,
//! or goes.

use std::time::Duration;

use model::{HostName, Migration, Mode, Problem, VmAction};
use tokio::time::{Instant, sleep};

use crate::{
    clock::lock,
    hosts::watcher::is_for_a_person,
    migration::finalize::is_our_connections_fault,
    migration::lifecycle::{Claim, Runner},
    migration::verdict::{Presence, Verdict, verdict},
};

/// Between two questions where the VM is.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// How long hosts have to agree. A libvirt daemon that was killed is back within seconds and then cleans up; one that has lost its
/// console without a word notices after 30 s. A host that stays away longer is a matter for a person, and the VM must not stay locked
/// that long.
const LIMIT: Duration = Duration::from_secs(60);
/// How long a silent source is waited for while the destination does not run the VM. Peer-to-peer it may be sending all the
/// while, and nothing could be done to a VM on a host that does not answer anyway.
const SILENT_LIMIT: Duration = Duration::from_secs(15 * 60);
/// How long libvirt may take to clear a job away after it has said that it is over (measured: 1.5 s after a cancel). A job that
/// stays longer is another one: somebody else moves the VM.
const TAIL_LIMIT: Duration = Duration::from_secs(10);
/// How long a contradiction (two copies, or none), or a copy left paused must last: the hosts are not asked at the very same moment,
/// and each is in between for a while.
const CERTAIN: Duration = Duration::from_secs(5);

/// How long after the last that was heard of a migration nobody can have moved the VM on, from the destination to a third host. Later all
/// hosts have to say that they do not have it before a copy that was left paused goes on.
const PROMPT: Duration = Duration::from_mins(2);

/// How the questioning goes.
struct Questioning {
    /// Since when the same hosts answer.
    begun: Instant,
    answering: [bool; 2],
    /// What was made of it last, and since when.
    verdict: Verdict,
    since: Instant,
}

impl Questioning {
    fn begin() -> Self {
        let now = Instant::now();
        Self { begun: now, answering: [true; 2], verdict: Verdict::Unsettled, since: now }
    }

    fn heard(&mut self, presences: [Presence; 2]) {
        let answering = presences.map(|presence| presence != Presence::Unknown);
        if answering != self.answering {
            (self.answering, self.begun) = (answering, Instant::now());
        }
    }

    fn judged(&mut self, verdict: Verdict) {
        if verdict != self.verdict {
            (self.verdict, self.since) = (verdict, Instant::now());
        }
    }

    fn is_certain(&self) -> bool {
        self.since.elapsed() > CERTAIN
    }

    /// Whether it has gone on for long enough.
    fn is_over(&self, [source, destination]: [Presence; 2]) -> bool {
        let limit = match (source, destination) {
            // It stays paused until it is known whether it runs there.
            (Presence::Abandoned { .. }, Presence::Unknown) => return false,
            (Presence::Unknown, destination) if destination != Presence::Active => SILENT_LIMIT,
            _ => LIMIT,
        };
        self.begun.elapsed() > limit
    }
}

impl Runner<'_> {
    /// Asks both hosts until they agree, or for too long.
    pub(crate) async fn agree(&mut self, claim: &Claim) -> Verdict {
        let kept = self.migration.options.keep_source_definition && claim.is_ok();
        let mut questioning = Questioning::begin();
        loop {
            let [mut source, destination] = self.ask_both().await;
            if source == Presence::Sending && is_our_connections_fault(claim) {
                // It goes on without us, or does not know yet that it has lost us; so the verdict has to wait.
                self.watch_until_gone().await;
                questioning = Questioning::begin();
                continue;
            }
            if self.waits_for_somebody([source, destination]).await {
                if self.was_cancelled_meanwhile().await {
                    return match (source, destination) {
                        (Presence::Abandoned { .. }, Presence::Absent) => Verdict::LeftPaused,
                        _ => Verdict::Unsettled,
                    };
                }
                questioning = Questioning::begin();
            }
            questioning.heard([source, destination]);
            if source == Presence::Sending && questioning.begun.elapsed() > TAIL_LIMIT {
                source = Presence::Active;
            }
            let verdict = self.unless_it_moved_on(verdict(self.migration.mode, kept, source, destination));
            questioning.judged(verdict);
            match verdict {
                Verdict::Moved | Verdict::Stayed => return verdict,
                Verdict::Both | Verdict::Neither | Verdict::LeftPaused if questioning.is_certain() => return verdict,
                _ if questioning.is_over([source, destination]) => return verdict,
                Verdict::ToResume if questioning.is_certain() && self.engine.is_ready() => {
                    self.resume_source().await;
                    questioning.judged(Verdict::Unsettled);
                }
                Verdict::ToDrop if questioning.is_certain() => {
                    self.drop_source().await;
                    questioning.judged(Verdict::Unsettled);
                }
                _ => {}
            }
            sleep(ASK_AGAIN).await;
        }
    }

    /// What the destination does not have any more may run on a third host by now: then it must not go on at the source.
    fn unless_it_moved_on(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::ToResume if self.engine.inventory().is_elsewhere(&self.migration) => Verdict::LeftPaused,
            verdict => verdict,
        }
    }

    async fn ask_both(&self) -> [Presence; 2] {
        let (source, destination) = tokio::join!(self.ask(true), self.ask(false));
        [source, destination]
    }

    /// What one host says now.
    pub(crate) async fn ask(&self, source: bool) -> Presence {
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

    /// Whether a host can't be asked before somebody has logged in there, or the like; or the destination at all, and the VM is paused
    /// until it can be; or a third host, to which the VM may have moved on. Told as long as that is so.
    async fn waits_for_somebody(&mut self, [source, destination]: [Presence; 2]) -> bool {
        let is_paused = matches!((source, destination), (Presence::Abandoned { .. }, Presence::Unknown));
        let may_have_moved_on =
            matches!((source, destination), (Presence::Abandoned { persistent: true }, Presence::Absent))
                && self.since_last_heard() > PROMPT;
        let refusal = {
            let inventory = self.engine.inventory();
            let refusal = |host: &HostName| inventory.connection(host).err();
            let of_person = |host| refusal(host).filter(|problem| is_for_a_person(problem.code));
            let Migration { source, destination, .. } = &self.migration;
            let of_whatever = || refusal(destination).filter(|_| is_paused && inventory.is_ready());
            let of_others = || {
                let mut others = inventory.hosts().map(|entry| &entry.config.name).filter(|_| may_have_moved_on);
                others.find_map(refusal).filter(|_| inventory.is_ready())
            };
            of_person(destination).or_else(|| of_person(source)).or_else(of_whatever).or_else(of_others)
        };
        let waits = is_paused || refusal.is_some();
        let told = refusal.map(|problem| {
            let sentence = format!("{} Where {} runs is not known before.", problem.sentence, self.migration.vm_name);
            let fix = problem.fix.unwrap_or_default();
            let fix = format!("{fix} If nobody can, cancel the migration, and look after the VM yourself.");
            Problem { sentence, fix: Some(fix.trim_start().to_owned()), ..problem }
        });
        if self.migration.problem == told {
            return waits;
        }
        let text = match &told {
            Some(Problem { sentence, fix: Some(fix), .. }) => format!("{sentence} {fix}"),
            Some(Problem { sentence, .. }) => sentence.clone(),
            None => "Both hosts can be asked again.".to_owned(),
        };
        self.migration.problem = told;
        self.write(text).await;
        waits
    }

    /// Whether somebody wants that it is not waited for. Who cancelled before wanted something else.
    async fn was_cancelled_meanwhile(&mut self) -> bool {
        let cancelled = lock(&self.handle.cancelled_by).len() > self.cancels_noted;
        if cancelled {
            self.note_cancel().await;
        }
        cancelled
    }

    /// The VM goes on at the source, as libvirt would have let it if somebody had told it that the migration failed.
    async fn resume_source(&mut self) {
        let (vm, from, there) = (&self.migration.vm_name, &self.migration.source, &self.migration.destination);
        let text = format!("{there} does not have {vm}, and {from} had it paused for the migration: it goes on there.");
        let resumed = self.act_at_source(VmAction::Resume).await;
        self.tell(resumed, text).await;
    }

    /// The source forgets the copy that it paused, as libvirt would have done if somebody had told it that the VM arrived.
    async fn drop_source(&mut self) {
        let (vm, from, there) = (&self.migration.vm_name, &self.migration.source, &self.migration.destination);
        let text = format!("{vm} runs on {there}: the copy that {from} had paused for the migration was turned off.");
        let dropped = self.act_at_source(VmAction::ForceOff).await;
        self.tell(dropped, text).await;
    }

    /// What a source's daemon that died in the middle of it has not done: its definition is to go with the VM.
    pub(crate) async fn forget_at_source(&mut self) {
        let Migration { vm, vm_name, source, destination, mode, options, .. } = &self.migration;
        let is_kept_there = self.engine.inventory().copy(destination, *vm).is_some_and(|copy| copy.persistent);
        if *mode == Mode::Offline || options.keep_source_definition || !is_kept_there {
            return;
        }
        let Ok(connection) = self.engine.inventory().connection(source) else { return };
        if let Ok(Some(copy)) = connection.copy(*vm).await
            && Presence::of(Some(&copy)) == Presence::Inactive
        {
            let text = format!("{source} still had the definition of {vm_name}: it was removed.");
            let removed = connection.undefine(*vm).await;
            self.tell(removed, text).await;
        }
    }

    async fn act_at_source(&self, action: VmAction) -> Result<(), Problem> {
        let source = self.engine.inventory().connection(&self.migration.source)?;
        source.act(self.migration.vm, action).await
    }

    /// Writes down what was done, or why it could not be. It is tried again.
    async fn tell(&mut self, done: Result<(), Problem>, text: String) {
        match done {
            Ok(()) => self.write(text).await,
            Err(problem) => {
                tracing::warn!(migration = %self.migration.id, %problem, "could not clear up at the source");
                self.write(format!("{} could not do what is left to do: {problem}", self.migration.source)).await;
            }
        }
    }
}
