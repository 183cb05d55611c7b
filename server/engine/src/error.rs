//! Why the engine refused something, or gave it up. `explain.rs` has the sentences for people.

use model::{Finding, FindingCode, HostName, Migration, MigrationId, Problem, VmAction, VmId, VmState};
use store::{StoreError, StoreFault};
use uuid::Uuid;

use crate::hypervisor::{HostError, InvalidInput, StateReason};

/// Why the engine refused something, or gave it up.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A host could not be asked, or refused. Also that there is no such host or VM, whether a host says so or the inventory.
    Host(HostError),
    /// What a user wrote can't be used.
    Input(InvalidInput),
    /// The store failed: nothing may be begun that could not be written down. Its words are in the log.
    Store(StoreFault),
    /// The task that worked on the request did not end: the console is stopping, or the task panicked.
    Stopping,
    /// There is no such migration.
    UnknownMigration(MigrationId),
    /// There is nothing left to cancel.
    AlreadyEnded(Box<Migration>),
    /// The step that was to be taken is not the one that is safe now. What is, stands in the record.
    NotTheStep(Box<Migration>),
    /// A cancel arrived before libvirt was asked to move the VM.
    Cancelled,
    /// Too many passwords were wrong at a host, or are being tried there.
    TooManyPasswords {
        /// The host's address.
        address: String,
        /// How many it gets to see.
        most: usize,
        /// Within how long, in ms.
        within_ms: u64,
    },

    /// Several different VMs have this name.
    AmbiguousName {
        /// The name.
        name: String,
        /// Where the VMs are.
        vms: Vec<(HostName, VmId)>,
    },
    /// The VM has an open migration.
    AlreadyMigrating {
        /// The VM's name.
        vm: String,
        /// Its migration.
        open: MigrationId,
    },
    /// The VM is migrated from outside this console: by virsh, or by another console.
    MigratedFromOutside {
        /// The VM's name.
        vm: String,
    },
    /// Another console or program has moved the VM.
    MovedFromOutside {
        /// The VM's name.
        vm: String,
        /// Where it is.
        host: HostName,
    },
    /// The guest crashed while the VM was being moved, or its QEMU died.
    Crashed {
        /// The VM's name.
        vm: String,
        /// Where that was.
        host: HostName,
    },
    /// The VM was forced off while it was being moved.
    ForcedOff {
        /// The VM's name.
        vm: String,
        /// Where that was.
        host: HostName,
    },
    /// The guest crashed while the VM was being moved, and its QEMU is kept.
    Panicked {
        /// The VM's name.
        vm: String,
        /// Where that was.
        host: HostName,
    },
    /// The VM has moved, and ended at once.
    EndedThere {
        /// The VM's name there.
        vm: String,
        /// Where it is.
        host: HostName,
        /// What it ended by.
        reason: StateReason,
    },
    /// The VM was saved to a file while it was being moved.
    Saved {
        /// The VM's name.
        vm: String,
        /// Where that was.
        host: HostName,
    },
    /// The VM was shut down while it was being moved.
    ShutDown {
        /// The VM's name.
        vm: String,
        /// Where that was.
        host: HostName,
    },
    /// The VM ended while it was being moved, and its host does not know why.
    Ended {
        /// The VM's name.
        vm: String,
        /// Where that was.
        host: HostName,
    },
    /// An earlier migration was abandoned and left the VM paused. To move it now would decide that this is the right copy.
    LeftPaused {
        /// The VM's name.
        vm: String,
        /// Where it is paused.
        host: HostName,
    },
    /// What was asked for one copy of the VM would be done to another.
    OnAnotherHost {
        /// The VM's name.
        vm: String,
        /// The host that it was asked for.
        asked: HostName,
        /// The host that the VM is listed on now.
        now: HostName,
    },
    /// The VM's state does not allow this action.
    NotPossible {
        /// The VM's name.
        vm: String,
        /// Its state.
        state: VmState,
        /// What was to be done.
        action: VmAction,
    },
    /// The VM does not run, so that it can't be measured.
    NothingToMeasure {
        /// The VM's name.
        vm: String,
        /// Its state.
        state: VmState,
    },
    /// The VM was started, turned off or removed while its migration waited.
    StateChanged {
        /// The VM's name.
        vm: String,
        /// Its state now; none if it is gone.
        state: Option<VmState>,
    },
    /// The VM moved while the hosts were asked.
    JustMoved {
        /// The VM's name.
        vm: String,
        /// Where it is now.
        host: HostName,
    },
    /// The VM is on a host that is in the inventory for a migration only.
    OnTemporaryHost {
        /// The VM's name.
        vm: String,
        /// The host.
        host: HostName,
    },
    /// The destination has another VM of this name.
    NameTaken {
        /// The destination.
        host: HostName,
        /// The name.
        name: String,
        /// The VM that has it.
        other: VmId,
    },
    /// What the console knows is enough to refuse. The only variant with a finished problem: [`model::refusal`] and
    /// [`model::Steering::refusal`] make it, by which pages refuse in the same words.
    Known(Box<Problem>),
    /// A preflight stopped at one thing, after which nothing else need be checked.
    Refused {
        /// The check that found it.
        check: FindingCode,
        /// What it is.
        error: Box<Error>,
    },
    /// A preflight found what would make the migration fail. The first is the worst.
    Blocked(Vec<Finding>),
    /// A preflight found risks for data that the request does not accept.
    NeedsConsent(Vec<Finding>),

    /// Every machine means itself by this address.
    ThisMachine {
        /// The address as it was written.
        address: String,
    },
    /// Source and destination have one UUID.
    OneMachine {
        /// The source.
        source_host: HostName,
        /// The destination.
        destination: HostName,
    },
    /// A host is registered already, under another name.
    SameMachine {
        /// The host that was to be registered.
        host: HostName,
        /// The name that it has.
        registered: HostName,
    },
    /// A host has the UUID of another than the one that was known there.
    AnotherMachine {
        /// The host that was known.
        host: HostName,
        /// Its UUID.
        known: Uuid,
        /// The UUID of the machine that answers.
        answers: Uuid,
    },
    /// A host is registered under this name.
    HostNameTaken(HostName),
    /// This host is registered at one of the addresses.
    AddressTaken(HostName),
    /// This host has the name or an address, and is in the inventory for a migration only.
    TakenForMigration(HostName),
    /// The destination is registered, under this name.
    RegisteredAlready(HostName),
    /// The destination is in the inventory for another migration, under this name.
    HasAnotherName(HostName),
    /// The host is registered in the configuration file.
    HostConfigured(HostName),
    /// The host is part of a migration that has not ended.
    HostInUse {
        /// The host.
        host: HostName,
        /// The migration, if it has begun.
        open: Option<MigrationId>,
    },

    /// Other disks would be copied or left behind than the request was shown.
    DisksChanged {
        /// The VM's name.
        vm: String,
        /// What stands against the new plan, the worst first; empty if nothing does, and the plan is only another than was shown.
        findings: Vec<Finding>,
    },
    /// Two pools that should be one place are not.
    PoolsDiffer {
        /// The source, and its pool.
        source_pool: (HostName, String),
        /// The destination, and its pool.
        destination_pool: (HostName, String),
    },
    /// The console can't read an image that it has to copy.
    NoPoolWith {
        /// The image.
        path: String,
        /// The source.
        host: HostName,
    },
    /// The VM was started before libvirt had moved its definition: while its disks were copied, or after.
    StartedMeanwhile {
        /// The VM's name.
        vm: String,
    },
    /// An image was written to, or removed, after its copy had begun.
    WrittenMeanwhile {
        /// The VM's name.
        vm: String,
        /// The pool of the image.
        pool: String,
        /// Its volume.
        volume: String,
    },
    /// The source sent less, or more, of an image than there is.
    ReadIncomplete {
        /// The image.
        path: String,
        /// The source.
        host: HostName,
        /// How long the image is, in bytes.
        expected_bytes: u64,
        /// What was read of it, in bytes.
        read_bytes: u64,
    },
    /// A copy was read back, and it is not what was copied.
    CopyDiffers {
        /// The pool of the copy.
        pool: String,
        /// Its volume.
        volume: String,
        /// The destination.
        host: HostName,
        /// What is different.
        difference: Difference,
    },
    /// The VM has another image than the one that was copied.
    OldImageGone {
        /// The VM's name.
        vm: String,
        /// The image that was copied.
        image: String,
        /// The source.
        host: HostName,
    },

    /// A volume of this name was left by another migration, and is still to be removed.
    VolumeLeft {
        /// The pool.
        pool: String,
        /// The volume.
        volume: String,
        /// The destination.
        host: HostName,
        /// The migration that has left it.
        by: MigrationId,
    },
    /// A definition that a migration has left can't be removed: no host says that it runs the VM.
    DefinitionMayBeNeeded {
        /// The VM's name.
        vm: String,
        /// Where the definition is.
        host: HostName,
    },

    /// The console was restarted before it began a migration.
    NeverBegun,
    /// The console that drove a direct migration has stopped.
    DriverStopped,
    /// A migration ended while no console watched.
    EndedUnwatched,
}

/// What a copy differs in from the image that it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Some byte, or the length.
    Contents,
    /// The size that a guest sees.
    Size {
        /// That of the image, in bytes.
        expected_bytes: u64,
        /// That of the copy, in bytes.
        found_bytes: u64,
    },
    /// The format, e.g. `qcow2`.
    Format {
        /// That of the image.
        expected: String,
        /// That of the copy.
        found: String,
    },
    /// The volume is gone.
    Gone,
}

// Plain, not `#[from]`, which would make each the source of an error that prints the same sentence.
impl From<HostError> for Error {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

impl From<InvalidInput> for Error {
    fn from(error: InvalidInput) -> Self {
        Self::Input(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Self::Store(match error {
            StoreError::Failed { fault, .. } => fault,
            StoreError::Open(_) | StoreError::Transition { .. } => StoreFault::Other,
        })
    }
}

#[cfg(test)]
impl Error {
    /// The code that programs see.
    pub(crate) fn code(&self) -> model::Code {
        self.told().code
    }

    /// What people see.
    pub(crate) fn told(&self) -> Problem {
        self.clone().into()
    }
}
