//! Reads codes from JSON and forms by their names.
//!
//! serde's derive compares the names once more for each format that a type is read from; of the two longest enums that was 9 kB of brotli
//! in the browser's half. These look in the one table that [`strum`] makes.

use crate::{Code, FindingCode, Phase, Severity};

/// What is no name of such a code. It is not repeated: it may be a password in the wrong place.
#[derive(Debug, thiserror::Error)]
#[error("there is no such code")]
pub struct UnknownName;

macro_rules! by_name {
    ($($type:ty),*) => {$(
        impl TryFrom<String> for $type {
            type Error = UnknownName;

            fn try_from(name: String) -> Result<Self, UnknownName> {
                Self::ALL.iter().copied().find(|code| code.as_str() == name).ok_or(UnknownName)
            }
        }
    )*};
}

by_name!(Code, FindingCode, Phase, Severity);
