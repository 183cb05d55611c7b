//! Reads codes from JSON and forms by their names.
//!
//! serde's derive compares the names once more for each format that a type is read from; of the two longest enums that was 50 kB of the
//! browser's half. These look in the one table that [`strum`] makes.

use crate::{Code, FindingCode, Phase, Severity};

/// What is no name of such a code.
#[derive(Debug, thiserror::Error)]
#[error("unknown code `{0}`")]
pub struct UnknownName(String);

macro_rules! by_name {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = UnknownName;

            fn try_from(name: String) -> Result<Self, UnknownName> {
                let known = Self::ALL.iter().copied().find(|code| code.as_str() == name);
                known.ok_or(UnknownName(name))
            }
        }
    )*};
}

by_name!(Code, FindingCode, Phase, Severity);
