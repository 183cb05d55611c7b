//! The model against steps of a ms, and against migrations that were recorded.

mod estimate;
mod passes;
mod policy;
