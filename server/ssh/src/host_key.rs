//! Whether a host that shows a key is the one that is meant.

use std::fmt::Display;

use engine::{Fingerprint, Ssh};
use model::{Code, Problem};

/// How to see a host's key without ssh.
const COMPARE: &str = "Compare it with what the host itself shows: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";

/// Takes the key for the host's if it is known, or if none is known and somebody has confirmed this one. Whoever confirmed another meant
/// another host.
///
/// # Errors
/// `host-key-unknown`; `host-key-changed` if another one is known, or another one was confirmed.
pub(crate) fn check(host: &Ssh, known: &[Fingerprint], shown: &Fingerprint) -> Result<(), Problem> {
    let address = &host.address;
    match (known, &host.fingerprint) {
        (known, _) if !known.is_empty() && !known.contains(shown) => Err(changed(address, host, known, shown)),
        (_, Some(confirmed)) if confirmed != shown => Err(not_confirmed(address, confirmed, shown)),
        ([], None) => Err(unknown(address, shown)),
        _ => Ok(()),
    }
}

/// Nobody has said yet that this is the key of this host.
pub fn unknown(name: impl Display, shown: &Fingerprint) -> Problem {
    Problem::new(Code::HostKeyUnknown, format!("The ssh key of {name} is not known yet: {shown}."))
        .with_fix(format!("{COMPARE}. If it is the same, confirm it."))
        .with_fingerprint(shown.as_str())
}

/// Somebody has said that the host has another key than it shows.
pub fn not_confirmed(name: impl Display, confirmed: &Fingerprint, shown: &Fingerprint) -> Problem {
    Problem::new(Code::HostKeyChanged, format!("{name} shows the ssh key {shown}, but {confirmed} was confirmed."))
        .with_fix(format!("{COMPARE}. If the host shows neither, somebody may be posing as {name}."))
        .with_fingerprint(shown.as_str())
}

/// The host is known by other keys: by those of the machine's own list if none is given.
pub fn changed(name: impl Display, host: &Ssh, known: &[Fingerprint], shown: &Fingerprint) -> Problem {
    let known = match known {
        [] => "another in this machine's own list (/etc/ssh/ssh_known_hosts)".to_owned(),
        known => known.iter().map(Fingerprint::as_str).collect::<Vec<_>>().join(" or "),
    };
    let address = &host.address;
    let port = if host.port == Ssh::PORT { String::new() } else { format!(" --port {}", host.port) };
    Problem::new(Code::HostKeyChanged, format!("The ssh key of {name} is {shown}, but was {known}."))
        .with_fix(format!(
            "Somebody may be posing as {name}. {COMPARE}. Only if the new key is the host's own, let vmferry forget the old one: remove \
             the host and add it again, or run `vmferry known-hosts forget {address}{port}` on the machine that vmferry runs on."
        ))
        .with_fingerprint(shown.as_str())
}

#[cfg(test)]
mod tests {
    use engine::SshLogin;

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
            let refused = check(&host(confirmed), &known, shown).err();
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
            assert_eq!(outcome(&[&two], confirmed, &one), Some(Code::HostKeyChanged), "a changed key is never taken");
        }
        let told = check(&host(None), std::slice::from_ref(&two), &one).unwrap_err();
        assert!(told.sentence.contains(one.as_str()) && told.sentence.contains(two.as_str()), "{told}");
        assert!(told.fix.unwrap().contains("`vmferry known-hosts forget 192.0.2.7 --port 2222` on"));
    }
}
