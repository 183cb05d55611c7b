//! The lifecycle of one migration.

pub(crate) mod admission;
pub(crate) mod begin;
mod drive;
pub(crate) mod finalize;
mod journal;
pub(crate) mod lifecycle;
pub(crate) mod progress;
mod reconcile;
pub(crate) mod verdict;
