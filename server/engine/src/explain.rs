//! The engine's edge towards people: what became of a host's error, and the sentences that more than one folder needs.
//!
//! Inside, the engine decides by [`HostErrorKind`]; a [`Problem`] with its code for programs is made of a [`HostError`] only where
//! a record
//! or a host's state is written, or a call is answered.

use model::{Code, HostName, MigrationId, Problem};

use store::StoreError;

use crate::hypervisor::{HostError, HostErrorKind, LARGEST_BANDWIDTH_MIB_S};

impl From<HostError> for Problem {
    fn from(HostError { kind, sentence, fix, details, fingerprint }: HostError) -> Self {
        Self { fix, details, fingerprint, ..Self::new(code(kind), sentence) }
    }
}

/// The code that programs see.
fn code(kind: HostErrorKind) -> Code {
    match kind {
        HostErrorKind::UnknownHost => Code::UnknownHost,
        HostErrorKind::Unreachable => Code::HostUnreachable,
        HostErrorKind::TimedOut => Code::TimedOut,
        HostErrorKind::NeedsLogin => Code::NeedsLogin,
        HostErrorKind::LoginRefused => Code::LoginRefused,
        HostErrorKind::NotPermitted => Code::NotPermitted,
        HostErrorKind::HostKeyUnknown => Code::HostKeyUnknown,
        HostErrorKind::HostKeyChanged => Code::HostKeyChanged,
        HostErrorKind::PeerLogin => Code::PeerLogin,
        HostErrorKind::UnknownVm => Code::UnknownVm,
        HostErrorKind::WrongState => Code::WrongState,
        HostErrorKind::AlreadyThere => Code::AlreadyThere,
        HostErrorKind::AlreadyMigrating => Code::AlreadyMigrating,
        HostErrorKind::SameHost => Code::SameHost,
        HostErrorKind::Cancelled => Code::Cancelled,
        HostErrorKind::NotSupported => Code::NotSupported,
        HostErrorKind::Refused => Code::Hypervisor,
        HostErrorKind::Internal => Code::Internal,
    }
}

/// An earlier migration was abandoned and left the VM paused. To move it now would decide that this is the right copy.
pub(crate) fn left_paused(name: &str, host: &HostName) -> Problem {
    Problem::new(Code::WrongState, format!("{name} is paused on {host}: an earlier migration has left it so."))
        .with_fix("Look whether it has run at that migration's destination. If not, resume it first; if so, force it off here.")
}

/// No VM has this name or id.
pub(crate) fn unknown_vm(name: &str) -> Problem {
    HostError::unknown_vm(name).into()
}

/// The VM has an open migration.
pub(crate) fn already_migrating(name: &str, open: MigrationId) -> Problem {
    Problem::new(Code::AlreadyMigrating, format!("{name} is being migrated already (migration {open})."))
        .with_fix("Wait for it to end, or cancel it.")
        .with_migration(open)
}

/// The VM is migrated from outside this console: by virsh, or by another console.
pub(crate) fn migrated_from_outside(name: &str) -> Problem {
    Problem::new(Code::WrongState, format!("{name} is being migrated by another program, not by this console."))
        .with_fix("Wait for that migration to end.")
}

/// No host is registered under this name or address.
pub(crate) fn unknown_host(name: &str) -> Problem {
    HostError::unknown_host(name).into()
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

/// A bandwidth limit that no migration may have.
pub(crate) fn bandwidth_out_of_range() -> Problem {
    Problem::new(Code::InvalidInput, "The bandwidth limit is out of range.")
        .with_fix(format!("Give 1 to {LARGEST_BANDWIDTH_MIB_S} MiB/s, or leave it out."))
}
