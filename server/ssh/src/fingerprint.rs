//! Fingerprints in OpenSSH's form, made of keys and of the hashes that libssh prints.

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use engine::Fingerprint;
use sha2::{Digest, Sha256};

/// Bytes of a SHA-256.
const HASH: usize = 32;

/// The fingerprint of a public key in ssh's own encoding.
pub(crate) fn of_key(key: &[u8]) -> Fingerprint {
    of_hash(&Sha256::digest(key).into())
}

/// The fingerprint in a text of libvirt's, in any language: libssh writes a SHA-256 as 32 pairs of hexadecimal digits with colons
/// between them.
pub fn fingerprint_in_libssh_text(text: &str) -> Option<Fingerprint> {
    text.split(|c: char| !c.is_ascii_hexdigit() && c != ':').find_map(|word| {
        let bytes: Vec<u8> = word.split(':').map(hexadecimal_pair).collect::<Option<_>>()?;
        Some(of_hash(&bytes.try_into().ok()?))
    })
}

fn hexadecimal_pair(digits: &str) -> Option<u8> {
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

fn of_hash(hash: &[u8; HASH]) -> Fingerprint {
    let text = format!("SHA256:{}", BASE64_STANDARD_NO_PAD.encode(hash));
    text.parse().expect("32 bytes are 43 characters of base64")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn libssh_s_form_becomes_openssh_s() {
        // The same key in libvirt's prompt and in the output of `ssh-keygen -l`.
        let prompt = "Accept SSH host key with hash '64:6a:e5:27:df:8a:52:34:8d:1d:e4:52:68:ac:b2:eb:31:a3:99:53:54:b3:33:c2:69:2f:31:d0:3c:ec:ef:97' for host '192.0.2.2:22' (y/n)?";
        assert_eq!(
            fingerprint_in_libssh_text(prompt).unwrap().as_str(),
            "SHA256:ZGrlJ9+KUjSNHeRSaKyy6zGjmVNUszPCaS8x0Dzs75c"
        );
        for other in ["", "Verification code:", "aa:bb:cc", &"00:".repeat(33), &"00:".repeat(32), "dead:beef::1"] {
            assert_eq!(fingerprint_in_libssh_text(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_hash_is_found_among_any_words(hash: [u8; 32], before in "[^0-9a-fA-F:]*", after in "[^0-9a-fA-F:]*") {
            let pairs: Vec<_> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            let words = format!("{before} {} {after}", pairs.join(":"));
            prop_assert_eq!(fingerprint_in_libssh_text(&words), Some(of_hash(&hash)));
        }
    }
}
