//! What a user wrote that can't be used.

/// What a user wrote can't be used: it is no address, say, or it contradicts what else was written.
///
/// The words stand beside the rule that was broken, because each is the rule in words and nothing is decided by them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct InvalidInput {
    /// What is wrong, in one sentence.
    pub sentence: String,
    /// What to write instead.
    pub fix: Option<String>,
    /// The setting that it is about, by its name.
    pub field: Option<&'static str>,
}

impl InvalidInput {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), fix: None, field: None }
    }

    #[must_use]
    pub(crate) fn with_fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    #[must_use]
    pub(crate) fn with_field(self, field: &'static str) -> Self {
        Self { field: Some(field), ..self }
    }
}
