//! How a migration ended, and what blocks it. This table comes last: another may have a better sentence for what QEMU says in it.

use engine::HostErrorKind;
use virt::sys::{VIR_ERR_MIGRATE_PERSIST_FAILED, VIR_ERR_OPERATION_ABORTED, VIR_ERR_OPERATION_TIMEOUT};

use super::meaning::{Meaning, numbered, saying};

const TRY_AGAIN: &str = "QEMU's logs of the VM on both hosts say more. Try again, or choose another host.";

const ENDED: &str = "QEMU on {destination} ended as soon as it had started.";
const LAST_WORDS: &str = "Its last output is in the details.";

/// The first that fits counts.
pub(super) static MEANINGS: &[Meaning] = &[
    saying("another migration job is already running").is(HostErrorKind::AlreadyMigrating).tell(
        "A migration of this VM is under way already, or being cleaned up.",
        "Wait until it has ended.",
    ),
    numbered(VIR_ERR_OPERATION_ABORTED)
        .is(HostErrorKind::Cancelled)
        .tell("The migration was cancelled.", "Nothing has to be done; the VM stayed on {host}."),
    saying("no job is active on the domain").is(HostErrorKind::WrongState).tell(
        "There is no job to abort: it has ended.",
        "Check which host the VM is on.",
    ),
    saying("cannot abort incoming migration").tell(
        "{host} receives this VM, and only the host that sends it can stop that.",
        "Cancel the migration on the other host.",
    ),
    numbered(VIR_ERR_OPERATION_TIMEOUT).is(HostErrorKind::WrongState).tell(
        "The VM is busy with something else.",
        "Wait until that has ended, then try again.",
    ),
    numbered(VIR_ERR_MIGRATE_PERSIST_FAILED).tell(
        "The VM moved to {destination}, but its definition could not be kept there: it would be gone once it is switched off.",
        "Define it there while it runs: `virsh dumpxml` to a file, then `virsh define`.",
    ),
    saying("Message from the source host: {here}. Message from the destination host: {there}").tell(
        "The migration failed in QEMU. On {host}: {here}. On {destination}: {there}.",
        TRY_AGAIN,
    ),
    saying("job 'migration out' failed: {reason}").tell("The migration failed in QEMU: {reason}.", TRY_AGAIN),
    saying("job 'migration out' unexpectedly failed").tell("The migration failed in QEMU, which gave no reason.", TRY_AGAIN),
    saying("process exited while connecting to monitor").tell(ENDED, LAST_WORDS),
    saying("QEMU unexpectedly closed the monitor").tell(ENDED, LAST_WORDS),
];

#[cfg(test)]
mod tests {
    use engine::HostErrorKind::{AlreadyMigrating, Cancelled, Refused, WrongState};

    use crate::translate::testing::check;

    #[test]
    #[rustfmt::skip]
    fn every_row_has_its_words() {
        check(super::MEANINGS, &[
            // already migrating
            (55, 10, 0, "Requested operation is not valid: another migration job is already running for domain 'web'",
                AlreadyMigrating, "A migration of this VM is under way already, or being cleaned up.", "Wait"),
            // cancelled
            (78, 10, 0, "operation aborted: job 'migration out' canceled by client",
                Cancelled, "The migration was cancelled.", "stayed on alpha"),
            (78, 10, 0, "operation aborted: migration out: canceled by client",
                Cancelled, "The migration was cancelled.", "stayed on alpha"),
            // abort: none / incoming
            (55, 10, 0, "Requested operation is not valid: no job is active on the domain",
                WrongState, "There is no job to abort: it has ended.", "which host"),
            (55, 10, 0, "Requested operation is not valid: cannot abort incoming migration; use virDomainDestroy instead",
                Refused, "alpha receives this VM, and only the host that sends it can stop that.", "other host"),
            // busy
            (68, 10, 0, "Timed out during operation: cannot acquire state change lock (held by \
                 monitor=remoteDispatchDomainMigratePrepare3Params)",
                WrongState, "The VM is busy with something else.", "try again"),
            // generic QEMU
            (9, 10, 0, "operation failed: job 'migration out' failed: Unable to write to socket: Broken pipe",
                Refused, "The migration failed in QEMU: Unable to write to socket: Broken pipe.", "both hosts"),
            (9, 10, 0, "operation failed: migration failed. Message from the source host: operation failed: job 'migration out' failed: \
                 Unable to write to socket: Broken pipe. Message from the destination host: operation failed: job 'migration in' failed: \
                 load of migration failed: Input/output error",
                Refused, "The migration failed in QEMU. On alpha: operation failed: job 'migration out' failed: Unable to write to socket: \
                 Broken pipe. On beta: operation failed: job 'migration in' failed: load of migration failed: Input/output error.",
                "both hosts"),
            (9, 10, 0, "operation failed: job 'migration out' unexpectedly failed",
                Refused, "The migration failed in QEMU, which gave no reason.", "both hosts"),
            // persist failed after move
            (69, 10, 0, "Failed to make domain persistent after migration",
                Refused, "The VM moved to beta, but its definition could not be kept there: it would be gone once it is switched off.",
                "virsh define"),
            // Also: QEMU that does not start.
            (1, 10, 0, "internal error: process exited while connecting to monitor: 2026-11-23T07:00:00.000000Z qemu-system-x86_64: -drive: no",
                Refused, "QEMU on beta ended as soon as it had started.", "last output"),
            (1, 10, 0, "internal error: QEMU unexpectedly closed the monitor (vm='web'): 2026-11-23T07:00:00.000000Z qemu-system-x86_64: no",
                Refused, "QEMU on beta ended as soon as it had started.", "last output"),
        ]);
    }
}
