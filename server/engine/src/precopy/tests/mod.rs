//! The model against steps of a ms, and against migrations that were recorded.

mod passes;
mod policy;
