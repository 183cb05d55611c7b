//! Lets the policy decide at the beginning of each pass, does it at the source, and writes it down with its numbers.

use std::time::Duration;

use model::{Acted, Migration, Mode, Phase};

use super::{
    active::ActiveMigration,
    tune::{tune, tune_from_the_beginning},
};
use crate::{
    hypervisor::Throttle,
    precopy::{self, Course, DOWNTIME_LIMIT_MS, Decision, PassBegun, Rules, View},
    storage::StorageJournal as _,
};

const MIB: f64 = (1 << 20) as f64;

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
        switchover: record.switchover_mib_s.map(|mib_s| f64::from(mib_s) * MIB),
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
        switchover: record.switchover_mib_s.map(|mib_s| f64::from(mib_s) * MIB / 1000.0),
        waited_ms: record.waited_ms,
    }
}
