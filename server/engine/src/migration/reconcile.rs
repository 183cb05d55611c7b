//! Where a VM is: both hosts are asked until they agree, and a copy that was abandoned, paused, is resumed or turned off.

use std::time::Duration;

use model::{HostName, Migration, Mode, Problem, VmAction};
use tokio::time::{Instant, sleep};

use super::{
    Reported, Setback,
    active::ActiveMigration,
    sample::watch_until_gone,
    verdict::{Verdict, verdict},
};
use crate::{
    hypervisor::{HostError, Presence},
    storage::StorageJournal as _,
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
/// stays longer is another one: the VM is migrated from outside this console.
const TAIL_LIMIT: Duration = Duration::from_secs(10);
/// How long a contradiction (two copies, or none), or a copy left paused must last: the hosts are not asked at the very same moment,
/// and each is in between for a while.
const CERTAIN: Duration = Duration::from_secs(5);

/// How soon after the last that was heard of a migration the VM can't have been moved on yet, from the destination to a third
/// host. Later all hosts have to say that they do not have it before an abandoned copy is resumed.
const PROMPT: Duration = Duration::from_mins(2);

/// The questions so far.
struct Inquiry {
    /// Since when the same hosts answer.
    begun: Instant,
    answering: [bool; 2],
    /// What was made of it last, and since when.
    verdict: Verdict,
    since: Instant,
}

impl Inquiry {
    fn begin() -> Self {
        let now = Instant::now();
        Self { begun: now, answering: [true; 2], verdict: Verdict::Undecided, since: now }
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

/// Asks both hosts until they agree, or for too long.
pub(super) async fn reconcile(active: &mut ActiveMigration, reported: &Reported) -> Verdict {
    let mode = active.record().mode;
    let kept = active.record().options.keep_source_definition && reported.is_ok();
    let mut inquiry = Inquiry::begin();
    loop {
        let [mut source, destination] = ask_both(active).await;
        if source == Presence::Sending && matches!(reported, Err(Setback::Lost(_))) {
            // It goes on without us, or does not know yet that it has lost us; so the verdict has to wait.
            watch_until_gone(active).await;
            inquiry = Inquiry::begin();
            continue;
        }
        if waits_for_a_person(active, [source, destination]).await {
            if was_cancelled_meanwhile(active).await {
                return match (source, destination) {
                    (Presence::Abandoned { .. }, Presence::Absent) => Verdict::LeftPaused,
                    _ => Verdict::Undecided,
                };
            }
            inquiry = Inquiry::begin();
        }
        inquiry.heard([source, destination]);
        if source == Presence::Sending && inquiry.begun.elapsed() > TAIL_LIMIT {
            source = Presence::Active;
        }
        let verdict = unless_it_moved_on(active, verdict(mode, kept, source, destination));
        inquiry.judged(verdict);
        match verdict {
            Verdict::Moved | Verdict::Stayed => return verdict,
            Verdict::Both | Verdict::Neither | Verdict::LeftPaused if inquiry.is_certain() => return verdict,
            _ if inquiry.is_over([source, destination]) => return verdict,
            Verdict::ToResume if inquiry.is_certain() && active.context().inventory().is_ready() => {
                resume_at_source(active).await;
                inquiry.judged(Verdict::Undecided);
            }
            Verdict::ToDrop if inquiry.is_certain() => {
                turn_off_at_source(active).await;
                inquiry.judged(Verdict::Undecided);
            }
            _ => {}
        }
        sleep(ASK_AGAIN).await;
    }
}

/// What the destination does not have any more may run on a third host by now: then it must not go on at the source.
fn unless_it_moved_on(active: &ActiveMigration, verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::ToResume if active.context().inventory().is_elsewhere(active.record()) => Verdict::LeftPaused,
        verdict => verdict,
    }
}

async fn ask_both(active: &ActiveMigration) -> [Presence; 2] {
    let Migration { source, destination, .. } = active.record();
    let (source, destination) = tokio::join!(active.presence_at(source), active.presence_at(destination));
    [source, destination]
}

/// Whether a person has to do something first: log in at a host before it can be asked, say; or see that the destination answers,
/// while the VM is paused until it does; or a third host, to which the VM may have moved on. Shown as long as that is so.
async fn waits_for_a_person(active: &mut ActiveMigration, [source, destination]: [Presence; 2]) -> bool {
    let is_paused = matches!((source, destination), (Presence::Abandoned { .. }, Presence::Unknown));
    let may_have_moved_on =
        matches!((source, destination), (Presence::Abandoned { persistent: true }, Presence::Absent))
            && active.since_last_heard() > PROMPT;
    let refusal = refusal(active, is_paused, may_have_moved_on).map(Problem::from);
    let waits = is_paused || refusal.is_some();
    let shown = refusal.map(|problem| {
        let sentence = format!("{} Where {} runs is not known before.", problem.sentence, active.record().vm_name);
        let fix = problem.fix.unwrap_or_default();
        let fix = format!("{fix} If that is impossible, cancel the migration, and look after the VM yourself.");
        Problem { sentence, fix: Some(fix.trim_start().to_owned()), ..problem }
    });
    if active.record().problem == shown {
        return waits;
    }
    let text = match &shown {
        Some(Problem { sentence, fix: Some(fix), .. }) => format!("{sentence} {fix}"),
        Some(Problem { sentence, .. }) => sentence.clone(),
        None => "Both hosts can be asked again.".to_owned(),
    };
    active.journal().set_problem(shown, text).await;
    waits
}

/// Why a host that has to be asked can't be, where only a person can change that.
fn refusal(active: &ActiveMigration, is_paused: bool, may_have_moved_on: bool) -> Option<HostError> {
    let Migration { source, destination, .. } = active.record();
    let inventory = active.context().inventory();
    let refusal = |host: &HostName| inventory.connection(host).err();
    let of_person = |host| refusal(host).filter(|error| error.kind.is_for_a_person());
    let of_any_kind = || refusal(destination).filter(|_| is_paused && inventory.is_ready());
    let of_others = || {
        let mut others = inventory.hosts().map(|entry| &entry.config.name).filter(|_| may_have_moved_on);
        others.find_map(refusal).filter(|_| inventory.is_ready())
    };
    of_person(destination).or_else(|| of_person(source)).or_else(of_any_kind).or_else(of_others)
}

/// Whether a cancel has arrived that asks not to wait any longer. One that came before asked for something else.
async fn was_cancelled_meanwhile(active: &mut ActiveMigration) -> bool {
    let cancelled = active.has_new_cancel();
    if cancelled {
        active.note_cancel().await;
    }
    cancelled
}

/// The VM goes on at the source, as libvirt would have let it if it had been told that the migration failed.
async fn resume_at_source(active: &mut ActiveMigration) {
    let Migration { vm_name, source, destination, .. } = active.record();
    let text = format!(
        "{destination} does not have {vm_name}, and {source} had it paused for the migration: it goes on there."
    );
    let resumed = act_at_source(active, VmAction::Resume).await;
    write_result(active, resumed, text).await;
}

/// The source forgets the copy that it paused, as libvirt would have done if it had been told that the VM arrived.
async fn turn_off_at_source(active: &mut ActiveMigration) {
    let Migration { vm_name, source, destination, .. } = active.record();
    let text =
        format!("{vm_name} runs on {destination}: the copy that {source} had paused for the migration was turned off.");
    let turned_off = act_at_source(active, VmAction::ForceOff).await;
    write_result(active, turned_off, text).await;
}

/// What a source's daemon that died in the middle of it has not done: its definition is to go with the VM.
pub(super) async fn undefine_at_source(active: &mut ActiveMigration) {
    let Migration { vm, vm_name, source, destination, mode, options, .. } = active.record();
    let is_kept_there = active.context().inventory().copy(destination, *vm).is_some_and(|copy| copy.persistent);
    if *mode == Mode::Offline || options.keep_source_definition || !is_kept_there {
        return;
    }
    let Ok(connection) = active.source() else { return };
    if let Ok(Some(copy)) = connection.copy(*vm).await
        && Presence::of(Some(&copy)) == Presence::Inactive
    {
        let text = format!("{source} still had the definition of {vm_name}: it was removed.");
        let removed = connection.undefine(*vm).await;
        write_result(active, removed, text).await;
    }
}

async fn act_at_source(active: &ActiveMigration, action: VmAction) -> Result<(), HostError> {
    active.source()?.act(active.record().vm, action).await
}

/// Writes down what was done, or why it could not be. It is tried again.
async fn write_result(active: &mut ActiveMigration, done: Result<(), HostError>, text: String) {
    match done {
        Ok(()) => active.write(text).await,
        Err(problem) => {
            tracing::warn!(migration = %active.record().id, %problem, "could not clear up at the source");
            let text = format!("{} could not do what is left to do: {problem}", active.record().source);
            active.write(text).await;
        }
    }
}
