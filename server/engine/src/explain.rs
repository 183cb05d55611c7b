//! The engine's edge towards people: the sentence and the fix for each of its errors, and their codes for programs.
//!
//! Inside, the engine decides by the variants of [`Error`] and by [`HostErrorKind`]. A [`Problem`] is made of them where a record or a
//! host's state is written, or a call is answered.

mod store;

use std::fmt;

use model::{Code, Finding, FindingCode, Migration, Problem, VmState, text};

use crate::{
    error::{Difference, Error},
    hypervisor::{HostError, HostErrorKind, InvalidInput, StateReason},
};

/// What to do about two hosts with one UUID.
const IF_CLONED: &str = "If they are two machines, one was cloned: set host_uuid in libvirtd.conf on one of them.";

/// What to do about a VM whose guest has crashed, and whose QEMU is kept (`on_crash` preserve).
const CRASHED: &str =
    "Force it off, then start it. To keep its memory for a look, dump it first (virsh dump --memory-only).";

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&Problem::from(self.clone()).sentence)
    }
}

impl From<HostError> for Problem {
    fn from(HostError { kind, sentence, fix, details, fingerprint }: HostError) -> Self {
        Self { fix, details, fingerprint, ..Self::new(code(kind), sentence) }
    }
}

impl From<InvalidInput> for Problem {
    fn from(InvalidInput { sentence, fix, field }: InvalidInput) -> Self {
        Self { fix, field: field.map(str::to_owned), ..Self::new(Code::InvalidInput, sentence) }
    }
}

/// A table: each row is the code, the sentence and the fix of one error.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Host(error) => error.into(),
            Error::Input(error) => error.into(),
            Error::Store(fault) => store::outage(fault),
            Error::Stopping => Self::new(Code::Internal, "vmferry is stopping."),
            Error::UnknownMigration(id) => Self::new(Code::UnknownMigration, format!("There is no migration {id}.")),
            Error::AlreadyEnded(migration) => {
                let summary = text::summary(&migration);
                Self::new(Code::AlreadyEnded, format!("This migration has ended already: {summary}"))
            }
            Error::NotTheStep(migration) => not_the_step(&migration),
            Error::Cancelled => Self::new(Code::Cancelled, "The migration was cancelled before libvirt began."),
            Error::TooManyPasswords { address, most, within_ms } => {
                let within = text::duration(within_ms);
                Self::new(Code::Throttled, format!("Too many passwords were wrong at {address}.")).with_fix(format!(
                    "Wait {within}: vmferry tries {most} within that time, so that the host does not shut it out."
                ))
            }

            Error::AmbiguousName { name, vms } => {
                let places: Vec<String> = vms.iter().map(|(host, id)| format!("{host} ({id})")).collect();
                let sentence = format!("{} VMs are called {name}: on {}.", vms.len(), places.join(", "));
                Self::new(Code::AmbiguousName, sentence).with_fix("Name the host, too.")
            }
            Error::AlreadyMigrating { vm, open } => {
                Self::new(Code::AlreadyMigrating, format!("{vm} is being migrated already (migration {open})."))
                    .with_fix("Wait for it to end, or cancel it.")
                    .with_migration(open)
            }
            Error::MigratedFromOutside { vm } => {
                Self::new(Code::WrongState, format!("{vm} is being migrated by another program, not by this console."))
                    .with_fix("Wait for that migration to end.")
            }
            Error::MovedFromOutside { vm, host } => Self::new(
                Code::WrongState,
                format!("{vm} is on {host}: another console or program brought it there, not this migration."),
            ),
            Error::Crashed { vm, host } => {
                let sentence = format!("{vm} crashed on {host} while it was being moved, or its QEMU did, and is off there.");
                Self::new(Code::Hypervisor, sentence).with_fix(format!("See why: QEMU's log is on {host}."))
            }
            Error::Panicked { vm, host } => Self::new(
                Code::WrongState,
                format!("The guest of {vm} crashed on {host} while it was being moved, and its memory is still held there."),
            )
            .with_fix(CRASHED),
            Error::EndedThere { vm, host, reason } => {
                let ended = match reason {
                    StateReason::Shutdown => "was shut down",
                    StateReason::Destroyed => "was forced off",
                    StateReason::Saved => "was saved",
                    _ => "crashed",
                };
                Self::new(Code::WrongState, format!("{vm} {ended} on {host} as soon as it had arrived, and is off there."))
            }
            Error::ForcedOff { vm, host } => {
                Self::new(Code::WrongState, format!("{vm} was forced off on {host} while it was being moved, and is off there."))
            }
            Error::ShutDown { vm, host } => Self::new(
                Code::WrongState,
                format!("{vm} was shut down on {host} while it was being moved, and is off there."),
            ),
            Error::Saved { vm, host } => Self::new(
                Code::WrongState,
                format!("{vm} was saved on {host} while it was being moved, and is off there."),
            )
            .with_fix(format!("Start it on {host}: it goes on from what was saved. Then move it.")),
            Error::Ended { vm, host } => {
                Self::new(Code::WrongState, format!("{vm} is off on {host}: it ended while it was being moved."))
            }
            Error::LeftPaused { vm, host } => {
                Self::new(Code::WrongState, format!("{vm} is paused on {host}: an earlier migration has left it so."))
                    .with_fix("That migration's page says what is safe, if it was vmferry's. Else find out first whether the VM has run at its destination.")
            }
            Error::OnAnotherHost { vm, asked, now } => {
                Self::new(Code::WrongState, format!("{vm} is listed on {now} by now, no longer on {asked}."))
                    .with_fix("Look at it, then try again.")
            }
            Error::NotPossible { vm, state: VmState::Crashed, .. } => {
                Self::new(Code::WrongState, format!("{vm} has crashed, and its memory is still held."))
                    .with_fix(CRASHED)
            }
            Error::NotPossible { vm, state, action } => {
                let (state, action) = (state.as_str(), action.label().to_lowercase());
                Self::new(Code::WrongState, format!("{vm} is {state}: “{action}” makes no sense now."))
            }
            Error::NothingToMeasure { vm, state } => {
                Self::new(Code::WrongState, format!("{vm} is {}: it writes nothing to its memory.", state.as_str()))
            }
            Error::StateChanged { vm, state } => {
                let now = state.map_or("gone", |state| state.as_str());
                Self::new(Code::WrongState, format!("{vm} is {now} by now.")).with_fix("Look at it, then try again.")
            }
            Error::JustMoved { vm, host } => {
                Self::new(Code::WrongState, format!("{vm} has just moved to {host}.")).with_fix("Try again.")
            }
            Error::OnTemporaryHost { vm, host } => {
                Self::new(Code::WrongState, format!("{vm} is on {host}, which is here for a migration only."))
                    .with_fix(format!("Register {host} first: Hosts, Add a host."))
            }
            Error::NameTaken { host, name, other } => {
                Self::new(Code::AlreadyThere, format!("{host} has another VM called {name} ({other})."))
                    .with_fix("Give this one a new name there, or rename or remove the other.")
            }
            Error::Known(problem) => *problem,
            Error::Refused { check, error } => {
                let findings = vec![finding(check, (*error).clone())];
                Self::from(*error).with_findings(findings)
            }
            Error::Blocked(findings) => found(Code::Blocked, findings),
            Error::NeedsConsent(findings) => found(Code::NeedsConsent, findings),

            Error::ThisMachine { address } => Self::new(
                Code::SameHost,
                format!("{address} is not another host: migrating to localhost is not allowed."),
            )
            .with_fix("Use the name or address of a registered host."),
            Error::OneMachine { source_host, destination } => Self::new(
                Code::SameHost,
                format!("{source_host} and {destination} are the same machine: they have one host UUID."),
            )
            .with_fix(IF_CLONED),
            Error::SameMachine { host, registered } => Self::new(
                Code::HostExists,
                format!("{host} is the same machine as {registered}: they have one host UUID."),
            )
            .with_fix(IF_CLONED),
            Error::AnotherMachine { host, known, answers } => Self::new(
                Code::HostUnreachable,
                format!("Another machine than {host} answers there: it has another host UUID."),
            )
            .with_fix(format!("Check the address. If {host} has been replaced, remove it and add it again."))
            .with_details(format!("{host} has the host UUID {known}, the other has {answers}.")),
            Error::HostNameTaken(host) => {
                Self::new(Code::HostExists, format!("A host called {host} is registered already."))
                    .with_fix("Give this one another name.")
            }
            Error::AddressTaken(host) => {
                Self::new(Code::HostExists, format!("The host {host} is registered at this address already."))
                    .with_fix("Change that one, or give this one an address of its own.")
            }
            Error::TakenForMigration(host) => {
                Self::new(Code::HostInUse, format!("{host} is there for a migration already."))
                    .with_fix("Wait for the migration to end.")
            }
            Error::RegisteredAlready(host) => {
                Self::new(Code::HostExists, format!("This host is registered already: it is {host}."))
                    .with_fix("Move the VM there without registering it again.")
            }
            Error::HasAnotherName(host) => {
                Self::new(Code::HostInUse, format!("This host is there for another migration, under the name {host}."))
                    .with_fix(format!("Register it as {host}, or wait for that migration to end."))
            }
            Error::HostConfigured(host) => {
                Self::new(Code::HostConfigured, format!("{host} is registered in the configuration file."))
                    .with_fix("Change it there, then restart vmferry.")
            }
            Error::HostInUse { host, open } => Self {
                migration: open,
                ..Self::new(Code::HostInUse, format!("{host} is part of a migration that has not ended."))
                    .with_fix("Wait for the migration to end, or cancel it.")
            },

            Error::DisksChanged { vm, findings } => {
                let worst = findings.first();
                let changed = || format!("The disks of {vm} have changed since this migration was requested.");
                let sentence = worst.map_or_else(changed, |worst| worst.text.clone());
                let fix = worst.and_then(|worst| worst.fix.clone());
                Self::new(Code::Blocked, sentence)
                    .with_fix(fix.unwrap_or_else(|| "Look at what is planned now, then start it again.".to_owned()))
                    .with_findings(findings)
            }
            Error::PoolsDiffer { source_pool: (source, from), destination_pool: (destination, to) } => {
                let text = format!(
                    "The pool {from} on {source} and the pool {to} on {destination} are not the same place: a volume made in the one \
                     is not seen in the other."
                );
                let fix = format!(
                    "Check that the same storage is mounted at both pools' paths, and that the pool {to} on {destination} is the right one."
                );
                found(Code::Blocked, vec![Finding::blocker(FindingCode::DiskShared, text).with_fix(fix)])
            }
            Error::NoPoolWith { path, host } => {
                Self::new(Code::Blocked, format!("{host} has no pool with {path}, so the console can't read it."))
                    .with_fix("Define and start a pool for its directory.")
            }
            Error::StartedMeanwhile { vm } => Self::new(
                Code::WrongState,
                format!("{vm} was started meanwhile, so it was not moved."),
            )
            .with_fix("Move it while it runs, or shut it down and try again."),
            Error::WrittenMeanwhile { vm, pool, volume } => {
                let sentence = format!("{volume} of the pool {pool} was written to, or removed, after its copy had begun.");
                Self::new(Code::WrongState, sentence)
                    .with_fix(format!("See that nothing uses the disks of {vm}, then try again."))
            }
            Error::ReadIncomplete { path, host, expected_bytes, read_bytes } => {
                let (expected, read) = (text::bytes(expected_bytes), text::bytes(read_bytes));
                Self::new(Code::CopyDiffers, format!("{host} sent {read} of the {expected} of {path}."))
                    .with_fix(format!("Look at the storage of {host} and at its libvirt log, then try again."))
                    .with_details(format!("{read_bytes} of {expected_bytes} bytes"))
            }
            Error::CopyDiffers { pool, volume, host, difference } => {
                let differs = match difference {
                    Difference::Contents => "does not hold what was written to it".to_owned(),
                    Difference::Size { expected_bytes, found_bytes } => {
                        let (expected, found) = (text::bytes(expected_bytes), text::bytes(found_bytes));
                        format!("has a size of {found} instead of {expected}")
                    }
                    Difference::Format { expected, found } => format!("has the format {found} instead of {expected}"),
                    Difference::Gone => "is gone".to_owned(),
                };
                let sentence = format!("The volume {volume} in the pool {pool} on {host} was read back, and {differs}.");
                Self::new(Code::CopyDiffers, sentence).with_fix(format!(
                    "The old image was not touched. Check that the pool {pool} has enough free space, and look at the storage of {host}; \
                     then try again."
                ))
            }
            Error::OldImageGone { vm, image, host } => {
                Self::new(Code::NeedsAttention, format!("{vm} no longer has the image {image} on {host}."))
                    .with_fix("Check whether the VM uses the copy now: then the copy must stay.")
            }

            Error::VolumeLeft { pool, volume, host, by } => {
                let sentence = format!("The volume {volume} of the pool {pool} on {host} was left by migration {by}.");
                Self::new(Code::Blocked, sentence)
                    .with_fix("Wait until vmferry has removed it, or choose another pool.")
                    .with_migration(by)
            }
            Error::DefinitionMayBeNeeded { vm, host } => Self::new(
                Code::WrongState,
                format!("No other host runs {vm} now, so its definition on {host} may be needed."),
            )
            .with_fix(format!("Start {vm} where it should be, or remove the definition on {host} by hand.")),

            Error::NeverBegun => Self::new(Code::ReasonLost, "The console was restarted before it began.")
                .with_fix("Start the migration again."),
            Error::DriverStopped => Self::new(Code::ReasonLost, "The console that drove it has stopped.").with_fix(
                "Start the migration again. Peer-to-peer it would go on without a console, if the source may log in at the destination.",
            ),
            Error::EndedUnwatched => {
                Self::new(Code::ReasonLost, "It ended while the console was not running, so the reason is lost.")
                    .with_fix("Look at libvirt's log on the source and the destination, then try again.")
            }
        }
    }
}

/// Nothing was done: another step is safe now, or none is needed.
fn not_the_step(migration: &Migration) -> Problem {
    let now = match (&migration.step, &migration.problem) {
        (Some(step), _) => format!("What is safe now: {}.", step.label()),
        (None, Some(problem)) => problem.sentence.clone(),
        (None, None) => text::summary(migration),
    };
    Problem::new(Code::WrongState, "Something has changed since this step was offered, so nothing was done.")
        .with_fix(now)
        .with_migration(migration.id)
}

/// What a preflight found, told by the first of its findings.
fn found(code: Code, findings: Vec<Finding>) -> Problem {
    let (sentence, fix, details) = match findings.first() {
        Some(first) => (first.text.clone(), first.fix.clone(), first.details.clone()),
        None => Default::default(),
    };
    Problem { fix, details, ..Problem::new(code, sentence) }.with_findings(findings)
}

/// An error as a preflight tells it.
pub(crate) fn finding(check: FindingCode, error: Error) -> Finding {
    let Problem { sentence, fix, details, .. } = error.into();
    Finding { fix, details, ..Finding::blocker(check, sentence) }
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
        HostErrorKind::WrongState | HostErrorKind::InUse => Code::WrongState,
        HostErrorKind::AlreadyThere => Code::AlreadyThere,
        HostErrorKind::AlreadyMigrating => Code::AlreadyMigrating,
        HostErrorKind::SameHost => Code::SameHost,
        HostErrorKind::Cancelled => Code::Cancelled,
        HostErrorKind::NotSupported | HostErrorKind::NoPostCopy => Code::NotSupported,
        HostErrorKind::Refused => Code::Hypervisor,
        HostErrorKind::Internal => Code::Internal,
    }
}
