//! Steers a migration that runs: what users ask for, and what its policy decides, is done at the source and written down with its
//! numbers.

use std::time::Duration;

use model::{Acted, Migration, Mode, Phase, Policy, Steering};

use super::active::ActiveMigration;
use crate::{
    hypervisor::{HostError, HostErrorKind, NotMigrated, Throttle, Tuning},
    precopy::{self, Course, DOWNTIME_LIMIT_MS, Decision, PassBegun, Rules, View, qemu_limit_ms},
    storage::StorageJournal as _,
};

/// What libvirt can do only from the beginning of a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BeginAgain {
    /// Slow the guest.
    ToSlowGuest,
    /// Switch to post-copy.
    ForPostCopy,
}

/// Does what users have asked for since this was last done.
pub(super) async fn obey_all(active: &mut ActiveMigration) {
    for (steering, by) in active.take_steerings() {
        obey(active, steering, by).await;
    }
}

/// Does what a user asks for, if that is possible now.
async fn obey(active: &mut ActiveMigration, steering: Steering, by: String) {
    if let Some(problem) = steering.refusal(active.record()) {
        return active.write(format!("{by} asked {}. {}", steering.asked(), problem.sentence)).await;
    }
    let begin_again = match steering {
        Steering::SlowGuest => Some(BeginAgain::ToSlowGuest),
        Steering::PostCopy if !active.record().post_copy => Some(BeginAgain::ForPostCopy),
        _ => None,
    };
    if let Some(why) = begin_again {
        let text = format!("{by} asked {}. The migration begins again for that.", steering.asked());
        *active.begin_again() = Some((why, by));
        return active.write(text).await;
    }
    let (tuning, acted) = match steering {
        Steering::Bandwidth { mib_s } => (Tuning::Bandwidth { mib_s }, Acted::Bandwidth { mib_s }),
        Steering::LongestPause { ms } => (Tuning::PauseLimit { ms }, Acted::Pause { ms }),
        Steering::PauseGuest => (Tuning::PauseGuest, Acted::GuestPaused),
        Steering::PostCopy | Steering::SlowGuest => (Tuning::PostCopy, Acted::PostCopy),
        Steering::Policy { policy } => return change_policy(active, policy, by).await,
    };
    let text = format!("{by} asked {}.", steering.asked());
    tune(active, tuning, acted, Some(by), text).await;
}

async fn change_policy(active: &mut ActiveMigration, policy: Policy, by: String) {
    let text = format!("{by} asked for the policy {}.", policy.as_str());
    active.journal().follow_policy(policy);
    active.journal().act(Acted::Policy { policy }, Some(by), text).await;
}

/// Changes the migration, and writes down that it was done or why not.
async fn tune(active: &mut ActiveMigration, tuning: Tuning, acted: Acted, by: Option<String>, text: String) {
    let tuned = tell(active, tuning).await;
    if let Err(HostError { sentence, .. }) = tuned {
        return active.write(format!("{text} That was not possible: {sentence}")).await;
    }
    match tuning {
        Tuning::PauseLimit { ms } => active.tracker().allow_pause(ms),
        Tuning::PostCopy => active.tracker().enter_post_copy(),
        Tuning::PauseGuest => active.tracker().pause_guest(),
        Tuning::Bandwidth { .. } => {}
    }
    active.journal().act(acted, by, text).await;
    if tuning == Tuning::PostCopy {
        active.journal().enter(Phase::PostCopy).await;
    }
}

/// Tells the source. QEMU's limit of the pause is less than what the guest may take.
async fn tell(active: &ActiveMigration, tuning: Tuning) -> Result<(), HostError> {
    let tuning = match tuning {
        Tuning::PauseLimit { ms } => Tuning::PauseLimit { ms: qemu_limit_ms(ms.into()) as u32 },
        other => other,
    };
    active.source()?.tune(active.record().vm, tuning).await
}

/// What holds for the whole migration, once there is a job: QEMU begins each with its own limits, or with those of the VM's last one.
async fn tune_from_the_beginning(active: &mut ActiveMigration) {
    if active.is_tuned(true) {
        return;
    }
    let Migration { acts, options, pause_limit_ms, .. } = active.record();
    let first = options.longest_pause_ms.map_or(DOWNTIME_LIMIT_MS as u32, |ms| ms.min(DOWNTIME_LIMIT_MS as u32));
    let pause = Tuning::PauseLimit { ms: pause_limit_ms.unwrap_or(first) };
    let bandwidth = acts.iter().rev().find_map(|act| match act.what {
        Acted::Bandwidth { mib_s } => Some(Tuning::Bandwidth { mib_s }),
        _ => None,
    });
    for tuning in [pause].into_iter().chain(bandwidth) {
        let tuned = tell(active, tuning).await;
        match (tuned, tuning) {
            (Ok(()), Tuning::PauseLimit { ms }) => {
                active.journal().limit_pause(ms);
                active.tracker().allow_pause(ms);
            }
            (Ok(()), _) => {}
            (Err(HostError { sentence, .. }), _) => {
                active.write(format!("A limit of this migration could not be set: {sentence}")).await;
            }
        }
    }
}

/// Lets the policy decide, once for each pass.
pub(super) async fn follow_policy(active: &mut ActiveMigration) {
    let Migration { mode, phase, cancel_requested, .. } = *active.record();
    if mode != Mode::Live || !matches!(phase, Phase::CopyingMemory | Phase::Converging) || cancel_requested {
        return;
    }
    tune_from_the_beginning(active).await;
    let slowed = active.record().progress.slowed_percent;
    if active.journal().is_slowed_anew(slowed) {
        let text = format!("QEMU slows the guest by {slowed} %, as it writes more than half of what the link carries.");
        active.journal().act(Acted::Slowed { percent: slowed }, None, text).await;
    }
    let Some(pass) = active.tracker().take_new_pass() else { return };
    let rules = rules(active);
    let view = view(active.record(), &pass);
    let Some(decision) = precopy::decide(&rules, &view) else { return };
    let text = precopy::explain(&rules, &view, decision, &active.record().vm_name);
    match decision {
        Decision::Tune(tuning, acted) => tune(active, tuning, acted, None, text).await,
        Decision::GiveUp => {
            let why = precopy::gave_up(&rules, &view, &active.record().vm_name);
            active.stall().give_up(why);
            active.journal().act(Acted::GaveUp, None, text).await;
        }
    }
}

/// The limit of the bandwidth in MiB/s, if there is one: what was asked for last, or what the source has.
fn bandwidth_mib_s(active: &ActiveMigration) -> Option<u32> {
    let Migration { source, options, acts, .. } = active.record();
    let asked = acts.iter().rev().find_map(|act| match act.what {
        Acted::Bandwidth { mib_s } => Some(mib_s),
        _ => None,
    });
    asked.or(options.bandwidth_mib_s).or_else(|| active.context().inventory().host(source)?.config.bandwidth_mib_s)
}

fn rules(active: &ActiveMigration) -> Rules {
    let Migration { vm, source, options, policy, .. } = active.record();
    let memory = active.context().inventory().copy(source, *vm).map_or(0, |copy| copy.memory_bytes);
    Rules::of(*policy, options.longest_pause_ms, options.budget_s, memory)
}

fn view(record: &Migration, pass: &PassBegun) -> View {
    View {
        elapsed: Duration::from_millis(record.progress.elapsed_ms.saturating_sub(record.waited_ms)),
        pass: pass.number,
        remaining: pass.remaining,
        throughput: pass.throughput,
        ratio: pass.ratio,
        fruitless_passes: pass.fruitless,
        pause_limit_ms: record.pause_limit_ms.unwrap_or(DOWNTIME_LIMIT_MS as u32),
        slowed_percent: record.progress.slowed_percent,
        slows_guest: record.slows_guest,
        post_copy: record.post_copy,
    }
}

/// How QEMU slows the guest of this migration.
pub(super) fn throttle(record: &Migration) -> Throttle {
    precopy::throttle_from(record.prediction.and_then(|prediction| prediction.slows_by_percent))
}

/// What is done with the migration from now on.
pub(super) fn course(active: &ActiveMigration) -> Course {
    let record = active.record();
    Course {
        rules: rules(active),
        throttle: record.slows_guest.then(|| throttle(record)),
        post_copy: record.post_copy,
        is_limited: bandwidth_mib_s(active).is_some(),
        waited_ms: record.waited_ms,
    }
}

/// Whether a migration that has ended for it begins again, and how then: for what a user has asked for, or without post-copy where a
/// host can't do that.
pub(super) async fn begins_again(
    active: &mut ActiveMigration,
    reported: &Result<(), NotMigrated>,
) -> Option<BeginAgainWith> {
    match reported {
        Err(NotMigrated::NotBegun(error)) if error.kind == HostErrorKind::NoPostCopy => {
            let words = error.details.as_ref().map_or_else(String::new, |words| format!(" ({words})"));
            active.journal().prepare(None, Some(false));
            active.write(format!("Post-copy is not possible between these hosts{words}. It goes on without.")).await;
            Some(BeginAgainWith { throttle: None, post_copy: Some(false) })
        }
        Err(NotMigrated::Failed(error)) if error.kind == HostErrorKind::Cancelled => {
            let (why, by) = active.begin_again().take()?;
            if active.unless_cancelled().await.is_err() {
                return None;
            }
            active.tracker().begin_again();
            active.is_tuned(false);
            let text = "It begins again from the first pass.".to_owned();
            active.journal().act(Acted::BegunAgain, Some(by), text).await;
            Some(match why {
                BeginAgain::ToSlowGuest => {
                    BeginAgainWith { throttle: Some(throttle(active.record())), post_copy: None }
                }
                BeginAgain::ForPostCopy => {
                    active.journal().follow_policy(Policy::Certain);
                    BeginAgainWith { throttle: None, post_copy: Some(true) }
                }
            })
        }
        _ => None,
    }
}

/// What changes in the plan of a migration that begins again.
pub(super) struct BeginAgainWith {
    pub(super) throttle: Option<Throttle>,
    pub(super) post_copy: Option<bool>,
}
