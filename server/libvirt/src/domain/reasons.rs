//! Why a domain is in its state: libvirt's reasons, which are numbered for each state anew, in the engine's form.

use std::ffi::{c_int, c_uint};

use engine::StateReason;
use virt::sys;

/// The reason that libvirt gives with this state.
pub(crate) fn reason(state: sys::virDomainState, reason: c_int) -> StateReason {
    // A negative number, which libvirt never gives, is no reason that is known.
    let reason = c_uint::try_from(reason).unwrap_or(c_uint::MAX);
    match state {
        sys::VIR_DOMAIN_RUNNING => running(reason),
        sys::VIR_DOMAIN_PAUSED => paused(reason),
        sys::VIR_DOMAIN_SHUTDOWN if reason == sys::VIR_DOMAIN_SHUTDOWN_USER => StateReason::User,
        sys::VIR_DOMAIN_SHUTOFF => shut_off(reason),
        sys::VIR_DOMAIN_CRASHED if reason == sys::VIR_DOMAIN_CRASHED_PANICKED => StateReason::Panicked,
        _ => StateReason::Other,
    }
}

/// Why a domain has stopped, by the detail of the event that tells it.
pub(crate) fn stopped(detail: c_int) -> StateReason {
    match c_uint::try_from(detail) {
        Ok(sys::VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN) => StateReason::Shutdown,
        Ok(sys::VIR_DOMAIN_EVENT_STOPPED_DESTROYED) => StateReason::Destroyed,
        Ok(sys::VIR_DOMAIN_EVENT_STOPPED_CRASHED) => StateReason::Crashed,
        Ok(sys::VIR_DOMAIN_EVENT_STOPPED_MIGRATED) => StateReason::Migrated,
        Ok(sys::VIR_DOMAIN_EVENT_STOPPED_SAVED) => StateReason::Saved,
        Ok(sys::VIR_DOMAIN_EVENT_STOPPED_FAILED) => StateReason::Failed,
        Ok(sys::VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT) => StateReason::FromSnapshot,
        _ => StateReason::Other,
    }
}

fn running(reason: sys::virDomainRunningReason) -> StateReason {
    match reason {
        sys::VIR_DOMAIN_RUNNING_BOOTED => StateReason::Booted,
        sys::VIR_DOMAIN_RUNNING_MIGRATED => StateReason::Migrated,
        sys::VIR_DOMAIN_RUNNING_RESTORED => StateReason::Restored,
        sys::VIR_DOMAIN_RUNNING_FROM_SNAPSHOT => StateReason::FromSnapshot,
        sys::VIR_DOMAIN_RUNNING_UNPAUSED => StateReason::Unpaused,
        sys::VIR_DOMAIN_RUNNING_MIGRATION_CANCELED => StateReason::MigrationCanceled,
        sys::VIR_DOMAIN_RUNNING_SAVE_CANCELED => StateReason::SaveCanceled,
        sys::VIR_DOMAIN_RUNNING_WAKEUP => StateReason::Wakeup,
        sys::VIR_DOMAIN_RUNNING_CRASHED => StateReason::Crashed,
        sys::VIR_DOMAIN_RUNNING_POSTCOPY => StateReason::PostCopy,
        sys::VIR_DOMAIN_RUNNING_POSTCOPY_FAILED => StateReason::PostCopyFailed,
        _ => StateReason::Other,
    }
}

fn paused(reason: sys::virDomainPausedReason) -> StateReason {
    match reason {
        sys::VIR_DOMAIN_PAUSED_USER => StateReason::User,
        sys::VIR_DOMAIN_PAUSED_MIGRATION => StateReason::Migration,
        sys::VIR_DOMAIN_PAUSED_SAVE => StateReason::Save,
        sys::VIR_DOMAIN_PAUSED_DUMP => StateReason::Dump,
        sys::VIR_DOMAIN_PAUSED_IOERROR => StateReason::IoError,
        sys::VIR_DOMAIN_PAUSED_WATCHDOG => StateReason::Watchdog,
        sys::VIR_DOMAIN_PAUSED_FROM_SNAPSHOT => StateReason::FromSnapshot,
        sys::VIR_DOMAIN_PAUSED_SHUTTING_DOWN => StateReason::ShuttingDown,
        sys::VIR_DOMAIN_PAUSED_SNAPSHOT => StateReason::Snapshot,
        sys::VIR_DOMAIN_PAUSED_CRASHED => StateReason::Crashed,
        sys::VIR_DOMAIN_PAUSED_STARTING_UP => StateReason::StartingUp,
        sys::VIR_DOMAIN_PAUSED_POSTCOPY => StateReason::PostCopy,
        sys::VIR_DOMAIN_PAUSED_POSTCOPY_FAILED => StateReason::PostCopyFailed,
        sys::VIR_DOMAIN_PAUSED_API_ERROR => StateReason::ApiError,
        _ => StateReason::Other,
    }
}

fn shut_off(reason: sys::virDomainShutoffReason) -> StateReason {
    match reason {
        sys::VIR_DOMAIN_SHUTOFF_SHUTDOWN => StateReason::Shutdown,
        sys::VIR_DOMAIN_SHUTOFF_DESTROYED => StateReason::Destroyed,
        sys::VIR_DOMAIN_SHUTOFF_CRASHED => StateReason::Crashed,
        sys::VIR_DOMAIN_SHUTOFF_MIGRATED => StateReason::Migrated,
        sys::VIR_DOMAIN_SHUTOFF_SAVED => StateReason::Saved,
        sys::VIR_DOMAIN_SHUTOFF_FAILED => StateReason::Failed,
        sys::VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT => StateReason::FromSnapshot,
        sys::VIR_DOMAIN_SHUTOFF_DAEMON => StateReason::Daemon,
        _ => StateReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_what_it_means_in_its_state() {
        let cases = [
            (sys::VIR_DOMAIN_RUNNING, sys::VIR_DOMAIN_RUNNING_MIGRATED, StateReason::Migrated),
            (sys::VIR_DOMAIN_PAUSED, sys::VIR_DOMAIN_PAUSED_MIGRATION, StateReason::Migration),
            (sys::VIR_DOMAIN_SHUTOFF, sys::VIR_DOMAIN_SHUTOFF_DESTROYED, StateReason::Destroyed),
            (sys::VIR_DOMAIN_RUNNING, sys::VIR_DOMAIN_RUNNING_MIGRATION_CANCELED, StateReason::MigrationCanceled),
            (sys::VIR_DOMAIN_SHUTOFF, sys::VIR_DOMAIN_SHUTOFF_FAILED, StateReason::Failed),
            (sys::VIR_DOMAIN_PAUSED, sys::VIR_DOMAIN_PAUSED_API_ERROR, StateReason::ApiError),
            (sys::VIR_DOMAIN_SHUTDOWN, sys::VIR_DOMAIN_SHUTDOWN_USER, StateReason::User),
            (sys::VIR_DOMAIN_CRASHED, sys::VIR_DOMAIN_CRASHED_PANICKED, StateReason::Panicked),
        ];
        for (state, number, expected) in cases {
            assert_eq!(reason(state, number as c_int), expected, "{state} {number}");
        }
    }

    #[test]
    fn an_event_says_why_a_domain_has_stopped() {
        assert_eq!(stopped(sys::VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN as c_int), StateReason::Shutdown);
        assert_eq!(stopped(sys::VIR_DOMAIN_EVENT_STOPPED_MIGRATED as c_int), StateReason::Migrated);
        assert_eq!(stopped(-1), StateReason::Other);
    }

    /// All that libvirt 11.3 knows: 0 is unknown in every state.
    #[test]
    fn every_reason_of_libvirts_has_a_name() {
        let states = [
            (sys::VIR_DOMAIN_RUNNING, 11),
            (sys::VIR_DOMAIN_PAUSED, 14),
            (sys::VIR_DOMAIN_SHUTOFF, 8),
            (sys::VIR_DOMAIN_CRASHED, 1),
        ];
        for (state, last) in states {
            assert_eq!(reason(state, 0), StateReason::Other);
            for number in 1..=last {
                assert_ne!(reason(state, number), StateReason::Other, "{state} {number}");
            }
            for number in [-1, last + 1] {
                assert_eq!(reason(state, number), StateReason::Other, "{state} {number}");
            }
        }
    }
}
