//! A promise that was broken.

use serde::{Deserialize, Serialize};

/// Something that must not be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Violation {
    /// What kind, in a word.
    pub kind: String,
    /// What was seen.
    pub text: String,
}

impl Violation {
    pub fn new(kind: &str, text: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), text: text.into() }
    }
}
