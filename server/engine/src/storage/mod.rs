//! Disks: which are shared and which are copied, and the copying.

mod medium;
mod place;
mod plan;
mod shared;

pub(crate) use plan::{Side, plan};

#[cfg(test)]
mod tests;
