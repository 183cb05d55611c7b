//! Post-copy: why it is not possible, and what can't be done while it lasts or once it has broken off.
//!
//! That it is not possible is found out before anything is sent: libvirt prepares both hosts for it, and only the destination's QEMU has
//! to be able to do it.

use engine::{HostError, HostErrorKind};

use super::meaning::{Meaning, saying};

const RUNS_THERE: &str = "The VM runs at the destination already: only the bandwidth of this migration can be changed.";
const WAIT: &str = "Wait until the rest of its memory has followed.";
const WITHOUT: &str = "Move it without post-copy, or choose another host.";

/// The first that fits counts.
pub(super) static MEANINGS: &[Meaning] = &[
    saying("Postcopy is not supported: Userfaultfd not available").is(HostErrorKind::NoPostCopy).tell(
        "QEMU on {destination} may not use userfaultfd, which post-copy needs.",
        "Move it without post-copy. Or let QEMU use it on {destination}: libvirt 10.1 or newer does so where the kernel has \
         /dev/userfaultfd (6.1 or newer), and `sysctl vm.unprivileged_userfaultfd=1` does on others.",
    ),
    saying("Postcopy is not supported: {reason}").is(HostErrorKind::NoPostCopy).tell(
        "QEMU on {destination} can't receive this VM by post-copy: {reason}.",
        WITHOUT,
    ),
    saying("post-copy migration is not supported with non-live or paused migration")
        .is(HostErrorKind::NoPostCopy)
        .tell("This VM is paused, and only one that runs can move by post-copy.", "Move it without post-copy, or resume it first."),
    saying("switching to post-copy requires migration to be started with VIR_MIGRATE_POSTCOPY flag")
        .is(HostErrorKind::NotSupported)
        .tell(
            "This migration was not prepared for post-copy when it began.",
            "Allow a longer pause. Or cancel it, and start it again with the policy certain.",
        ),
    saying("post-copy can only be started while outgoing migration is in progress").is(HostErrorKind::WrongState).tell(
        "{host} does not send the memory of this VM: not yet, or not any more.",
        "Check which host it is on. If it is still being moved, try again in a moment.",
    ),
    saying("domain '{name}' is not being migrated").is(HostErrorKind::WrongState).tell(
        "{host} has no migration of {name} that broke off.",
        "Check which host it is on.",
    ),
    saying("QEMU reports migration is still running").is(HostErrorKind::WrongState).tell(
        "{host} is still sending the memory of this VM, or has only just noticed that it does not arrive.",
        "Try again in a moment. If the two hosts reach each other and nothing follows, stop QEMU from waiting first (virsh domjobabort \
         --postcopy on {host}).",
    ),
    saying("post-copy migration of domain {name} has not failed").is(HostErrorKind::WrongState).tell(
        "One of both hosts says that the migration of {name} by post-copy has not broken off.",
        "Try again in a moment.",
    ),
    saying("resuming failed post-copy migration of domain {name} already in progress").is(HostErrorKind::WrongState).tell(
        "The migration of {name} by post-copy is being recovered already.",
        WAIT,
    ),
    saying("cannot abort migration in post-copy mode").tell(
        "The VM runs at the destination already, so that this migration can't be cancelled any more.",
        WAIT,
    ),
    saying("failed in post-copy phase").tell(
        "The VM runs on {destination}, but the rest of its memory no longer arrives.",
        "Force neither copy off: part of the memory is still on {host}. Repair the network between the two hosts first.",
    ),
];

/// A change that libvirt accepts in post-copy without any effect.
pub(crate) fn runs_there() -> HostError {
    HostError::new(HostErrorKind::WrongState, RUNS_THERE).with_fix(WAIT)
}

/// Nothing can be changed of a migration by post-copy that broke off.
pub(crate) fn broke_off() -> HostError {
    let sentence = "This migration broke off while the VM ran at the destination and the rest of its memory followed.";
    HostError::new(HostErrorKind::WrongState, sentence).with_fix(
        "Force neither copy off: each has a part of its memory. Repair the network between the two hosts first.",
    )
}

#[cfg(test)]
mod tests {
    use engine::HostErrorKind::{NoPostCopy, NotSupported, Refused, WrongState};
    use model::Mode;

    use crate::{
        error::CallFailure,
        migrate::testing::plan,
        translate::{
            not_migrated,
            testing::{check, error},
        },
    };

    const NO_USERFAULTFD: &str = "internal error: unable to execute QEMU command 'migrate-set-capabilities': Postcopy is not supported: \
                                  Userfaultfd not available: Operation not permitted";

    #[test]
    #[rustfmt::skip]
    fn every_row_has_its_words() {
        check(super::MEANINGS, &[
            // post-copy n/a: of QEMU's device, of the kind of memory, of a paused VM
            (1, 10, -1, NO_USERFAULTFD,
                NoPostCopy, "QEMU on beta may not use userfaultfd, which post-copy needs.", "sysctl"),
            (1, 10, -1, "internal error: unable to execute QEMU command 'migrate-set-capabilities': Postcopy is not supported: Host backend \
                 files need to be TMPFS or HUGETLBFS only",
                NoPostCopy, "QEMU on beta can't receive this VM by post-copy: Host backend files need to be TMPFS or HUGETLBFS only.",
                "without post-copy"),
            (74, 10, -1, "argument unsupported: post-copy migration is not supported with non-live or paused migration",
                NoPostCopy, "This VM is paused, and only one that runs can move by post-copy.", "resume"),
            // a switch to post-copy that was not prepared, and without a migration
            (55, 10, -1, "Requested operation is not valid: switching to post-copy requires migration to be started with \
                 VIR_MIGRATE_POSTCOPY flag",
                NotSupported, "This migration was not prepared for post-copy when it began.", "longer pause"),
            (55, 10, -1, "Requested operation is not valid: post-copy can only be started while outgoing migration is in progress",
                WrongState, "alpha does not send the memory of this VM: not yet, or not any more.", "try again"),
            // to recover one that has not broken off
            (55, 10, -1, "Requested operation is not valid: domain 'db' is not being migrated",
                WrongState, "alpha has no migration of db that broke off.", "which host"),
            (55, 10, -1, "Requested operation is not valid: QEMU reports migration is still running",
                WrongState, "alpha is still sending the memory of this VM, or has only just noticed that it does not arrive.", "Try again"),
            (55, 10, -1, "Requested operation is not valid: post-copy migration of domain db has not failed",
                WrongState, "One of both hosts says that the migration of db by post-copy has not broken off.", "in a moment"),
            (55, 10, -1, "Requested operation is not valid: resuming failed post-copy migration of domain db already in progress",
                WrongState, "The migration of db by post-copy is being recovered already.", "Wait"),
            // abort: post-copy
            (55, 10, -1, "Requested operation is not valid: cannot abort migration in post-copy mode",
                Refused, "The VM runs at the destination already, so that this migration can't be cancelled any more.", "Wait"),
            // Also: post-copy that broke.
            (9, 10, -1, "operation failed: job 'migration in' failed in post-copy phase",
                Refused, "The VM runs on beta, but the rest of its memory no longer arrives.", "Force neither copy off"),
        ]);
    }

    #[test]
    fn nothing_is_begun_only_where_a_host_can_not_do_it() {
        let is_begun = |number, words: &str| {
            let failure = CallFailure::Refused(error(number, 10, -1, words));
            !matches!(not_migrated("alpha", &plan(Mode::Live), failure), engine::NotMigrated::NotBegun(_))
        };
        assert!(!is_begun(1, NO_USERFAULTFD));
        assert!(is_begun(9, "operation failed: job 'migration in' failed in post-copy phase"));
    }
}
