//! The lifecycle of one migration, from the request to the verdict.
//!
//! [`Migrations`] admits a request (`admission.rs`), writes it down and spawns its [`lifecycle`], which owns an `ActiveMigration`
//! (`active.rs`) to the end: it waits in the queue, lets `storage/` prepare the disks, hands the plan to libvirt (`drive.rs`), takes
//! samples and commands meanwhile (`sample.rs`), asks both hosts where the VM is (`reconcile.rs`, `verdict.rs`) and writes down the
//! end (`finalize.rs`). `resume.rs` goes on with what an earlier run of the console left open. Only `journal.rs` changes the record.
//!
//! The phases, and the transitions that `phases.rs` allows:
//!
//! ```text
//!   queued ──────► checking ──────► preparing ──────────────────────────────┐
//!     │               │                │  samples only go forward,           │
//!     │               │                ▼  and may skip phases                │
//!     │               │         copying disks ► copying memory ► converging  │
//!     │               │                │               │            │        │
//!     │               │                └───────────────┴────────────┤        │
//!     │               │                                             ▼        │
//!     │               │                                     switching over   │
//!     │               │                                             │        │
//!     │               │           libvirt has returned, or was lost:│        │
//!     │               │           both hosts are asked              ▼        ▼
//!     │               │                                            verifying
//!     │               │                                             │
//!     ▼               ▼                                             ▼
//!   cancelled | failed, from every phase           succeeded | needs attention
//! ```
//!
//! Before `preparing` libvirt has not been asked for anything, so a migration that a restart finds there has not begun. `failed` and
//! `cancelled` mean that the VM is known to be at its source: either nothing was begun, or both hosts have said so.

mod active;
mod admission;
mod drive;
mod finalize;
mod inbox;
mod journal;
mod lifecycle;
mod migrations;
mod phases;
mod progress;
mod reconcile;
mod resume;
mod sample;
mod verdict;

pub(crate) use migrations::Migrations;

/// How a migration ended, as libvirt reports it. A claim to be verified by asking both hosts.
type Reported = Result<(), crate::hypervisor::NotMigrated>;
