//! Numbers and results in words. One place, so that pages and programs read the same.

mod numbers;
mod outcome;
mod plan;
mod prediction;

pub use numbers::{bytes, duration, percent, rate, span};
pub use outcome::{convergence, leftovers, summary};
pub use plan::{merits, plan};
pub use prediction::{ending, prediction};
