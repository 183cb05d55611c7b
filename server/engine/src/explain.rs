//! Sentences for what more than one folder of the engine can refuse.

use model::{Code, HostName, MigrationId, Problem};

use store::StoreError;

use crate::hypervisor::LARGEST_BANDWIDTH_MIB_S;

/// An earlier migration was abandoned and left the VM paused. To move it now would decide that this is the right copy.
pub(crate) fn left_paused(name: &str, host: &HostName) -> Problem {
    Problem::new(Code::WrongState, format!("{name} is paused on {host}: an earlier migration has left it so."))
        .with_fix("Look whether it has run at that migration's destination. If not, resume it first; if so, force it off here.")
}

/// No VM has this name or id.
pub(crate) fn unknown_vm(name: &str) -> Problem {
    Problem::new(Code::UnknownVm, format!("There is no VM called {name:?}."))
        .with_fix("Check the name; a VM on a host that never answered is not known.")
}

/// The VM has an open migration.
pub(crate) fn already_migrating(name: &str, open: MigrationId) -> Problem {
    Problem::new(Code::AlreadyMigrating, format!("{name} is being migrated already (migration {open})."))
        .with_fix("Wait for it to end, or cancel it.")
        .with_migration(open)
}

/// The VM is migrated from outside this console: by virsh, or by another console.
pub(crate) fn migrated_from_outside(name: &str) -> Problem {
    Problem::new(Code::WrongState, format!("{name} is being migrated by somebody else, not by this console."))
        .with_fix("Wait for that migration to end.")
}

/// No host is registered under this name or address.
pub(crate) fn unknown_host(name: &str) -> Problem {
    Problem::new(Code::UnknownHost, format!("No host called {name:?} is registered."))
        .with_fix("Use the name or address of a registered host.")
}

/// The host wants a password, and none was typed.
pub(crate) fn needs_login(host: &HostName) -> Problem {
    Problem::new(Code::NeedsLogin, format!("{host} wants a password, and the console does not keep one."))
        .with_fix(format!("Log in at {host}."))
}

/// No migration has this id.
pub(crate) fn unknown_migration(id: MigrationId) -> Problem {
    Problem::new(Code::UnknownMigration, format!("There is no migration {id}."))
}

/// The store failed: nothing may be begun that could not be written down.
pub(crate) fn store_failed(error: &StoreError) -> Problem {
    tracing::error!(%error, "the store failed");
    Problem::new(Code::Internal, "vmferry could not write to its store.")
        .with_fix("Look at the console's log: the disk may be full or read-only.")
}

/// Whether trying again by itself can only fail again, and gets the console locked out by what counts failed logins (fail2ban).
pub(crate) fn is_in_vain(code: Code) -> bool {
    matches!(code, Code::NeedsLogin | Code::LoginRefused | Code::HostKeyUnknown | Code::HostKeyChanged)
}

/// Whether a person has to do something before the host can be asked.
pub(crate) fn is_for_a_person(code: Code) -> bool {
    is_in_vain(code) || code == Code::NotPermitted
}

/// A bandwidth limit that no migration may have.
pub(crate) fn bandwidth_out_of_range() -> Problem {
    Problem::new(Code::InvalidInput, "The bandwidth limit is out of range.")
        .with_fix(format!("Give 1 to {LARGEST_BANDWIDTH_MIB_S} MiB/s, or leave it out."))
}
