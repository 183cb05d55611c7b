//! Disks: which are shared and which are copied, and the copying.
//!
//! [`plan`] decides, purely, for a preflight. For a migration [`prepare`] makes everything ready before libvirt moves the VM, and
//! [`prove_mirrored`], [`remove_volume`] and [`remove_source_disks`] look at the copies and clean up afterwards. What they need of the
//! migration is in [`StorageJournal`].

mod cleanup;
mod contents;
mod endpoints;
mod extras;
mod journal;
mod medium;
mod mirrored;
mod next_start;
mod offline;
mod place;
mod plan;
mod pool;
mod prepare;
mod proof;
mod removal;
mod shared;
mod transfer;
mod untouched;

pub(crate) use cleanup::remove_source_disks;
pub(crate) use journal::StorageJournal;
pub(crate) use mirrored::prove_mirrored;
pub(crate) use plan::{Side, plan};
pub(crate) use prepare::{Prepared, prepare};
pub(crate) use removal::{Removal, has_its_old_image, remove_volume};
pub(crate) use shared::same_path;
pub(crate) use untouched::{CopiedImage, ensure_untouched};

#[cfg(test)]
pub(crate) mod tests;
