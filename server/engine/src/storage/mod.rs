//! Disks: which are shared and which are copied, and the copying.

mod plan;

pub(crate) use plan::{Side, plan};
