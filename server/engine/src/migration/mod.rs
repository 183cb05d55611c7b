//! The lifecycle of one migration, from the request to the verdict.
//!
//! [`Migrations`] admits a request (`admission.rs`), writes it down and spawns its [`lifecycle`], which owns an `ActiveMigration`
//! (`active.rs`) to the end: it waits in the queue, lets `storage/` prepare the disks, hands the plan to libvirt (`drive.rs`), takes
//! samples and commands meanwhile (`sample.rs`; `steer.rs` does what users ask, `follow_policy.rs` what the policy decides), asks all hosts where the VM is (`reconcile.rs`, `inquiry.rs`, `verdict.rs`), names
//! what it waits for (`waiting.rs`), and writes down the end (`finalize.rs`). What libvirt keeps beside the definition follows
//! (`autostart.rs`). `resume.rs` goes on with what an earlier run of the console
//! left open. Only `journal.rs` changes the record. `aftercare.rs` looks after migrations that have ended and left something, or that
//! need attention: `situation.rs` asks all hosts, `advice.rs` makes words and a safe step of what they say, `take_step.rs` takes it, and
//! `settle.rs` ends the doubt. Where post-copy broke off, the step makes the migration go on (`recover.rs`).
//!
//! Which phase may follow which stands in `model`'s `transitions.rs` and is drawn in ARCHITECTURE.md.
//!
//! Before `preparing` libvirt has not been asked for anything, so a migration that a restart finds there has not begun. `failed` and
//! `cancelled` mean that the VM is known to be at its source, running or off: nothing was begun, or both hosts have said so.

mod active;
mod admission;
mod advice;
mod aftercare;
mod asleep;
mod autostart;
mod begin_again;
mod connections;
mod drive;
mod elsewhere;
mod ended;
mod finalize;
mod follow_policy;
mod inbox;
mod inquiry;
mod journal;
mod leftovers;
mod lifecycle;
mod migrations;
mod progress;
mod queue;
mod reconcile;
mod recover;
mod resume;
mod sample;
mod settle;
mod situation;
mod stall;
mod steer;
mod take_step;
mod tune;
mod verdict;
mod waiting;

pub(crate) use admission::check_consent;
pub(crate) use migrations::{Migrations, Part};

use crate::{
    error::Error,
    hypervisor::{HostError, HostErrorKind, NotMigrated},
};

/// How a migration ended, as libvirt reports it. A claim to be verified by asking both hosts.
type Reported = Result<(), Setback>;

/// Why a VM did not move, as far as is known.
#[derive(Clone, Debug)]
enum Setback {
    /// Nothing was begun: the VM is where it was.
    NotBegun(Error),
    /// libvirt says that it failed, and that the VM stayed.
    Failed(HostError),
    /// It is not known how it ended, or whether it has: the connection to the source was lost, or the console was not there.
    Lost(Error),
}

impl Setback {
    /// Whether a cancel ended it: this console's, or an abort from outside.
    fn is_cancelled(&self) -> bool {
        match self {
            Self::NotBegun(Error::Cancelled) => true,
            Self::NotBegun(Error::Host(error)) | Self::Failed(error) => error.kind == HostErrorKind::Cancelled,
            Self::NotBegun(_) | Self::Lost(_) => false,
        }
    }

    fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}

impl From<NotMigrated> for Setback {
    fn from(reason: NotMigrated) -> Self {
        match reason {
            NotMigrated::NotBegun(error) => Self::NotBegun(error.into()),
            NotMigrated::Failed(error) => Self::Failed(error),
            NotMigrated::Lost(error) => Self::Lost(error.into()),
        }
    }
}

impl From<Setback> for Error {
    fn from(setback: Setback) -> Self {
        match setback {
            Setback::NotBegun(error) | Setback::Lost(error) => error,
            Setback::Failed(error) => error.into(),
        }
    }
}
