//! Fingerprints of ssh host keys.

use std::{fmt, str::FromStr};

use super::InvalidInput;

/// The SHA-256 of a host's public key as OpenSSH shows it: `SHA256:` and 43 characters of base64 without padding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint as text, `SHA256:…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidInput;

    fn from_str(text: &str) -> Result<Self, InvalidInput> {
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        match text.strip_prefix("SHA256:") {
            Some(hash) if hash.len() == 43 && hash.bytes().all(is_base64) => Ok(Self(text.to_owned())),
            _ => Err(InvalidInput::new("This is not the fingerprint of an ssh key.")
                .with_fix("Give it as OpenSSH shows it: SHA256: and 43 characters. On the host: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_openssh_s_own_form_is_one() {
        let good = format!("SHA256:{}", "aB3+/".repeat(9).split_at(43).0);
        assert_eq!(good.parse::<Fingerprint>().unwrap().as_str(), good);
        for wrong in ["", "SHA256:", &good[..49], &format!("{good}="), &good.to_lowercase(), &good.replace("aB", "a:")]
        {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }
}
