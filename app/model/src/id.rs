//! Names of things: what can be one is decided here, once, so that no later code has to check.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Code, Problem};

/// A VM: its libvirt domain UUID, the same on every host that has a copy of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VmId(pub Uuid);

/// A migration: a UUIDv7, so that ids sort by the time they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MigrationId(pub Uuid);

/// A plan: a UUIDv7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanId(pub Uuid);

/// An evacuation: a UUIDv7, so that ids sort by the time they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EvacuationId(pub Uuid);

/// VMs that a user chose in the list. See [`crate::Selection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SelectionId(pub Uuid);

/// What hooks are told: a UUIDv7. See [`crate::HookEvent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HookEventId(pub Uuid);

macro_rules! uuid_text {
    ($type:ident, $what:literal) => {
        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $type {
            type Err = Problem;

            fn from_str(text: &str) -> Result<Self, Problem> {
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| Problem::new(Code::InvalidInput, concat!("This is not the id of a ", $what, ".")))
            }
        }
    };
}

uuid_text!(VmId, "VM");
uuid_text!(MigrationId, "migration");
uuid_text!(PlanId, "plan");
uuid_text!(EvacuationId, "evacuation");
uuid_text!(SelectionId, "selection");
uuid_text!(HookEventId, "hook's event");

/// The longest name of a host: it has to fit into a line with others.
const LONGEST_HOST_NAME: usize = 32;

/// The short name a host is registered under: 1 to 32 characters `a-z 0-9 -`, starting and ending with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

impl HostName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name for the host at an address: `192-0-2-7`, or `rack7-example-org`.
    ///
    /// # Errors
    /// `invalid-input` if there is no letter or digit in it.
    pub fn made_of(address: &str) -> Result<Self, Problem> {
        let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let text: String = address.chars().map(allowed).collect();
        let short: String = text.trim_matches('-').chars().take(LONGEST_HOST_NAME).collect();
        short.trim_end_matches('-').parse()
    }
}

impl FromStr for HostName {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if text.len() <= LONGEST_HOST_NAME
            && text.chars().all(allowed)
            && edge(text.chars().next())
            && edge(text.chars().last())
        {
            return Ok(Self(text.to_owned()));
        }
        Err(Problem::new(Code::InvalidInput, "This is not a host's name.")
            .with_fix("A host's name has 1 to 32 characters: small letters, digits, and hyphens between them.")
            .with_field("name"))
    }
}

impl TryFrom<String> for HostName {
    type Error = Problem;

    fn try_from(text: String) -> Result<Self, Problem> {
        text.parse()
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> Self {
        name.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_are_names() {
        for name in ["alpha", "a", "rack-7", "0"] {
            assert_eq!(name.parse::<HostName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_are_not() {
        for name in ["", "-a", "a-", "A", "a b", "a/b", "a.b", "ä", "a\0b", &"a".repeat(33)] {
            assert!(name.parse::<HostName>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn an_address_makes_a_name() {
        let long = format!("{}.example.org", "a".repeat(32));
        for (address, name) in [
            ("192.0.2.7", "192-0-2-7"),
            ("Rack7.example.org", "rack7-example-org"),
            ("2001:db8::7", "2001-db8--7"),
            ("::1", "1"),
            (long.as_str(), &long[..32]),
        ] {
            assert_eq!(HostName::made_of(address).unwrap().as_str(), name);
        }
        assert!(HostName::made_of("::").is_err());
    }

    proptest! {
        #[test]
        fn a_name_never_carries_anything_special(text in ".*") {
            if let Ok(name) = text.parse::<HostName>() {
                prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
                prop_assert!(!name.as_str().starts_with('-'));
            }
        }
    }
}
