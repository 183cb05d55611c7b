//! Passwords and passphrases on their way through the console.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A password or passphrase: shared, never copied, overwritten when the last who holds it lets go. It can be read from JSON, and
/// not be written to it; what is printed of it is three dots.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes a secret over.
    pub fn new(text: String) -> Self {
        Self(Arc::new(Zeroizing::new(text)))
    }

    /// How many values share it: tests see that none is kept for longer than needed.
    pub fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// The secret itself, to be handed to a library. Do not copy it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret: Secret = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(secret.reveal(), "hunter2");
        assert_eq!(format!("{secret:?} {:?}", Some(secret.clone())), "… Some(…)");
    }
}
