//! Whether the key that a host shows is the host's.

use engine::{Fingerprint, Ssh};

use crate::HostKeyError;

/// Accepts a key if it is known, or if none is known and a user has confirmed this one. A user who confirmed another key meant
/// another host.
///
/// # Errors
/// If no key is known or confirmed, if another one is known, or if another one was confirmed.
pub(crate) fn check(host: &Ssh, known: &[Fingerprint], shown: &Fingerprint) -> Result<(), HostKeyError> {
    let (name, shown) = (host.address.to_string(), shown.clone());
    match (known, &host.fingerprint) {
        (known, _) if !known.is_empty() && !known.contains(&shown) => Err(HostKeyError::Changed {
            host: name,
            address: host.address.clone(),
            port: host.port,
            known: known.to_vec(),
            shown,
        }),
        (_, Some(confirmed)) if *confirmed != shown => {
            Err(HostKeyError::NotConfirmed { host: name, confirmed: confirmed.clone(), shown })
        }
        ([], None) => Err(HostKeyError::Unknown { host: name, shown }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use engine::SshLogin;
    use model::{Code, Problem};

    use super::*;

    #[test]
    fn a_known_key_counts_and_a_confirmed_one_where_none_is_known() {
        let [one, two, three]: [Fingerprint; 3] =
            ["A", "B", "C"].map(|letter| format!("SHA256:{}", letter.repeat(43)).parse().unwrap());
        let host = |confirmed: Option<&Fingerprint>| Ssh {
            address: "192.0.2.7".parse().unwrap(),
            port: 2222,
            user: "root".parse().unwrap(),
            login: SshLogin::ConsoleKey,
            fingerprint: confirmed.cloned(),
        };
        let outcome = |known: &[&Fingerprint], confirmed, shown: &Fingerprint| {
            let known: Vec<_> = known.iter().copied().cloned().collect();
            let refused = check(&host(confirmed), &known, shown).err().map(Problem::from);
            assert!(refused.iter().all(|problem| problem.fingerprint.as_deref() == Some(shown.as_str())));
            refused.map(|problem| problem.code)
        };
        assert_eq!(outcome(&[&one], None, &one), None);
        assert_eq!(outcome(&[&two, &one], Some(&one), &one), None);
        assert_eq!(outcome(&[], Some(&one), &one), None);
        assert_eq!(outcome(&[], None, &one), Some(Code::HostKeyUnknown));
        assert_eq!(outcome(&[], Some(&two), &one), Some(Code::HostKeyChanged));
        assert_eq!(outcome(&[&one], Some(&two), &one), Some(Code::HostKeyChanged), "another host was meant");
        for confirmed in [None, Some(&one), Some(&two), Some(&three)] {
            assert_eq!(
                outcome(&[&two], confirmed, &one),
                Some(Code::HostKeyChanged),
                "a changed key is never accepted"
            );
        }
        let changed = Problem::from(check(&host(None), std::slice::from_ref(&two), &one).unwrap_err());
        assert!(changed.sentence.contains(one.as_str()) && changed.sentence.contains(two.as_str()), "{changed}");
        assert!(changed.fix.unwrap().contains("`vmferry known-hosts forget 192.0.2.7 --port 2222` on"));
    }
}
