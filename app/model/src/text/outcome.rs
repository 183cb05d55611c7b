//! Where a migration is or how it ended, and what it has left.

use super::{duration, percent, rate};
use crate::{Convergence, HostName, Leftover, Migration, Mode, Phase};

/// Where a migration is or how it ended, in a sentence: `web runs on beta after 1.4 s; paused for 23 ms.`
pub fn summary(migration: &Migration) -> String {
    let Migration { vm_name, source, destination, mode, .. } = migration;
    let there = migration.name_on(destination);
    let total = duration(migration.outcome.map_or(0, |outcome| outcome.total_ms));
    match migration.phase {
        Phase::Succeeded if *mode == Mode::Offline => {
            format!("{there} is defined on {destination} after {total}.")
        }
        // What it did there is the problem's sentence.
        Phase::Succeeded if migration.problem.is_some() => format!("{there} moved to {destination} after {total}."),
        Phase::Succeeded if migration.asleep => format!("{there} is asleep on {destination} after {total}."),
        Phase::Succeeded => match migration.outcome.and_then(|outcome| outcome.downtime_ms) {
            Some(downtime) => {
                format!("{there} runs on {destination} after {total}; paused for {}.", duration(downtime))
            }
            None => format!("{there} is on {destination} after {total}."),
        },
        Phase::Failed | Phase::Cancelled => {
            let what = if migration.phase == Phase::Failed { "failed" } else { "was cancelled" };
            format!("The migration {what} after {total}; {vm_name} stayed on {source}.")
        }
        Phase::MovedElsewhere => {
            format!("Another console or program moved {vm_name}; this migration ended without moving it after {total}.")
        }
        Phase::NeedsAttention => {
            format!("It is not certain that exactly one copy of {vm_name} runs.")
        }
        phase => format!("{}, {}", phase.label(), percent(migration.progress.percent)),
    }
}

/// What an ended migration has left on hosts or has still to set there, a sentence each, and what becomes of it.
pub fn leftovers(migration: &Migration) -> Vec<String> {
    if !migration.phase.has_ended() {
        return Vec::new();
    }
    let told = |leftover: &Leftover| {
        let (name, host) = (leftover.name(), &leftover.host);
        match &leftover.problem {
            _ if migration.phase == Phase::NeedsAttention => {
                format!("May be left: {name}. vmferry looks after it once it is certain where the VM is.")
            }
            None => format!("Left: {name}. vmferry removes it when {host} answers."),
            Some(problem) => {
                format!("Left: {name}. It could not be removed: {} vmferry tries again every minute.", problem.sentence)
            }
        }
    };
    migration.leftovers.iter().map(told).chain(autostart_pending(migration)).collect()
}

/// The hosts that were not told yet whether they start the VM, a sentence each.
fn autostart_pending(migration: &Migration) -> impl Iterator<Item = String> {
    let told = |host: &HostName| {
        let name = migration.name_on(host);
        format!("Whether {host} starts {name} when it boots is still to be set. vmferry does it when {host} answers.")
    };
    migration.autostart_pending().iter().map(told)
}

/// Why a migration will not end by itself, in a sentence with numbers; none while it may.
pub fn convergence(migration: &Migration) -> Option<String> {
    match migration.progress.convergence {
        Convergence::NotConverging { needed_downtime_ms } if !migration.phase.has_ended() => Some(format!(
            "This will not finish at this rate: the guest changes {}, the link carries {}. It would take a pause of {}.",
            rate(migration.progress.dirty_bytes_s),
            rate(migration.progress.throughput_bytes_s),
            duration(needed_downtime_ms),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MigrationOptions, Vm, VmState, text::plan};

    #[test]
    fn what_is_left_is_named_with_what_becomes_of_it() {
        let left = |problem| Leftover {
            host: "beta".parse().unwrap(),
            what: crate::LeftoverKind::Definition,
            since_ms: 0,
            machine: None,
            problem,
        };
        let mut migration = crate::examples::migration(1);
        migration.leftovers = vec![left(None)];
        assert!(leftovers(&migration).is_empty(), "it is under way");
        migration.phase = Phase::Failed;
        assert_eq!(leftovers(&migration), ["Left: the VM's definition on beta. vmferry removes it when beta answers."]);
        let refused = crate::Problem::new(crate::Code::Hypervisor, "libvirt refused.");
        migration.leftovers = vec![left(Some(refused))];
        let expected = "Left: the VM's definition on beta. It could not be removed: libvirt refused. vmferry tries again every minute.";
        assert_eq!(leftovers(&migration), [expected]);
        migration.phase = Phase::NeedsAttention;
        assert!(leftovers(&migration)[0].starts_with("May be left: the VM's definition on beta."));
    }

    #[test]
    fn a_vm_is_called_by_the_name_that_it_has_where_it_is() {
        let mut migration = crate::examples::migration(1);
        migration.options.new_name = Some("shop".into());
        migration.phase = Phase::Failed;
        assert_eq!(summary(&migration), "The migration failed after 0 ms; web stayed on alpha.");
        migration.phase = Phase::Succeeded;
        assert_eq!(summary(&migration), "shop is on beta after 0 ms.");
        migration.outcome = Some(crate::Outcome { downtime_ms: Some(23), ..crate::Outcome::default() });
        assert_eq!(summary(&migration), "shop runs on beta after 0 ms; paused for 23 ms.");
        migration.mode = Mode::Offline;
        assert_eq!(summary(&migration), "shop is defined on beta after 0 ms.");
        migration.autostart =
            Some(crate::Autostart { enabled: true, pending: vec!["alpha".parse().unwrap(), "beta".parse().unwrap()] });
        assert!(migration.needs_care());
        let still = leftovers(&migration);
        assert!(still[0].starts_with("Whether alpha starts web") && still[1].starts_with("Whether beta starts shop"));
    }

    #[test]
    fn a_vm_that_sleeps_is_not_said_to_run() {
        let mut migration = crate::examples::migration(1);
        (migration.phase, migration.asleep) = (Phase::Succeeded, true);
        assert_eq!(summary(&migration), "web is asleep on beta after 0 ms.");
        assert!(migration.needs_care(), "until it is awake");
        let vm = Vm { state: VmState::Suspended, ..crate::examples::vm(1, "web", "alpha") };
        let planned = plan(&vm, &migration.destination, &MigrationOptions::default(), &[]);
        assert!(planned.starts_with("web moves from alpha to beta and stays asleep;"), "{planned}");
    }
}
