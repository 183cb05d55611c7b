//! What has to outlive a restart.

mod sqlite;
#[cfg(test)]
mod story;

pub use sqlite::{Action, Attempt, Counter, SessionRow, SqliteStore};
