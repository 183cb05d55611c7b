//! Addresses and account names that are safe to stand in a URI, on a command line, in XML.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use super::InvalidInput;

/// A host name (RFC 1123) or an IP address.
///
/// Anything that starts with a hyphen, carries an option, a path, a user or a port is refused, and so are the spellings of IPv4
/// that only some resolvers know (`127.1`, `0x7f.1`, `2130706433`): two programs would read them differently.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A dotted IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address without zone.
    V6(Ipv6Addr),
    /// A name, in small letters.
    Name(String),
}

impl Address {
    /// The address as it stands in a URI: IPv6 in brackets.
    pub fn in_uri(&self) -> String {
        match self {
            Self::V6(address) => format!("[{address}]"),
            other => other.to_string(),
        }
    }

    /// The IP address, if it is one and not a name.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::V4(address) => Some((*address).into()),
            Self::V6(address) => Some((*address).into()),
            Self::Name(_) => None,
        }
    }

    /// Whether every machine means itself by it: loopback and unspecified addresses, also written as IPv6, and `localhost`.
    pub fn is_this_machine(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost" || name.ends_with(".localhost") || name.starts_with("localhost."),
            other => other.ip().map(|ip| ip.to_canonical()).is_some_and(|ip| ip.is_loopback() || ip.is_unspecified()),
        }
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(address),
        }
    }
}

impl FromStr for Address {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        let refused = || {
            InvalidInput::new("This is not a host name or IP address.")
                .with_fix("Give a name such as host7.example.org, or an address such as 192.0.2.7 or 2001:db8::7.")
                .with_field("address")
        };
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(address.into());
        }
        let label = |label: &str| {
            let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
            (1..=63).contains(&label.len())
                && label.bytes().all(inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // A name whose last label is a number would be taken for an IPv4 address by some resolvers (WHATWG URL, "ends in a number").
        let numeric = |label: &str| {
            label.bytes().all(|b| b.is_ascii_digit())
                || label
                    .strip_prefix("0x")
                    .or_else(|| label.strip_prefix("0X"))
                    .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()))
        };
        let last = text.rsplit('.').next().unwrap_or_default();
        if text.len() <= 253 && text.split('.').all(label) && !numeric(last) {
            return Ok(Self::Name(text.to_ascii_lowercase()));
        }
        Err(refused())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(formatter),
            Self::V6(address) => address.fmt(formatter),
            Self::Name(name) => formatter.write_str(name),
        }
    }
}

/// An account on a host: `[a-z_][a-z0-9_-]{0,31}`, what useradd accepts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserName(String);

impl UserName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        let first = |b: u8| b.is_ascii_lowercase() || b == b'_';
        let rest = |b: u8| first(b) || b.is_ascii_digit() || b == b'-';
        if text.len() <= 32 && text.bytes().next().is_some_and(first) && text.bytes().all(rest) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidInput::new("This is not an account's name.")
            .with_fix("Small letters, digits, _ and -, starting with a letter or _; at most 32 characters.")
            .with_field("user"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_that_are() {
        for text in
            ["alpha", "host7.example.org", "192.0.2.7", "127.0.0.2", "2001:db8::7", "::1", "xn--bcher-kva.example"]
        {
            assert!(text.parse::<Address>().is_ok(), "{text}");
        }
        assert_eq!("2001:db8::7".parse::<Address>().unwrap().in_uri(), "[2001:db8::7]");
        assert_eq!("Alpha.Example".parse::<Address>().unwrap().to_string(), "alpha.example");
    }

    #[test]
    fn addresses_that_are_not() {
        let hostile = [
            "",
            "-oProxyCommand=x",
            "a;b",
            "$(id)",
            "a b",
            "a\0b",
            "a?command=x",
            "../x",
            "a/b",
            "127.1",
            "0x7f.1",
            "2130706433",
            "0x7f000001",
            "1.2.3.4.5",
            "fe80::1%eth0",
            "[::1]",
            "a:1",
            "user@a",
            "a..b",
            ".a",
            "a.",
            "ä",
            "127.0.0.1:16509",
            "a_b",
            "127.0.0.01",
            "256.1.1.1",
        ];
        for text in hostile {
            assert!(text.parse::<Address>().is_err(), "{text:?}");
        }
        assert!("a".repeat(300).parse::<Address>().is_err());
    }

    #[test]
    fn addresses_every_machine_has() {
        let own = |text: &str| text.parse::<Address>().unwrap().is_this_machine();
        for text in [
            "localhost",
            "LOCALHOST",
            "a.localhost",
            "localhost.localdomain",
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:0.0.0.0",
        ] {
            assert!(own(text), "{text}");
        }
        for text in ["alpha", "localhost7", "128.0.0.1", "2001:db8::1", "::ffff:192.0.2.7"] {
            assert!(!own(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_address_is_harmless_in_a_uri(text in ".*") {
            if let Ok(address) = text.parse::<Address>() {
                let uri = address.in_uri();
                prop_assert!(!uri.starts_with('-'));
                prop_assert!(uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b)), "{uri}");
            }
        }

        #[test]
        fn an_account_is_harmless_anywhere(text in ".*") {
            if let Ok(user) = text.parse::<UserName>() {
                prop_assert!(!user.as_str().starts_with('-'));
                prop_assert!(user.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            }
        }
    }
}
