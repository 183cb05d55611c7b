//! Disks: which are shared and which are copied, and the copying.

mod cleanup;
mod medium;
mod next_start;
mod offline;
mod place;
mod plan;
mod prepare;
mod proof;
mod shared;

pub(crate) use plan::{Side, plan};
pub(crate) use prepare::Prepared;

#[cfg(test)]
pub(crate) mod tests;
