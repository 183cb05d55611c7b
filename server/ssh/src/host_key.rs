//! Whether a host that shows a key is the one that is meant.

use engine::{Address, Fingerprint};
use model::{Code, Problem};

/// How to see a host's key without ssh.
const COMPARE: &str = "Compare it with what the host itself shows: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";

/// Takes the key for the host's if it is known, or if none is known and somebody has confirmed this one.
///
/// # Errors
/// `host-key-unknown`; `host-key-changed` if another one is known, or another one was confirmed.
pub(crate) fn check(
    address: &Address,
    known: &[Fingerprint],
    confirmed: Option<&Fingerprint>,
    shown: &Fingerprint,
) -> Result<(), Problem> {
    if known.contains(shown) {
        return Ok(());
    }
    let problem = match (known, confirmed) {
        ([], Some(confirmed)) if confirmed == shown => return Ok(()),
        ([], None) => {
            Problem::new(Code::HostKeyUnknown, format!("The ssh key of {address} is not known yet: {shown}."))
                .with_fix(format!("{COMPARE}. If it is the same, confirm it."))
        }
        ([], Some(confirmed)) => Problem::new(
            Code::HostKeyChanged,
            format!("{address} shows the ssh key {shown}, but {confirmed} was confirmed."),
        )
        .with_fix(format!("{COMPARE}. If the host shows neither, somebody may be posing as {address}.")),
        (known, _) => changed(address, known, shown),
    };
    Err(problem.with_fingerprint(shown.as_str()))
}

fn changed(address: &Address, known: &[Fingerprint], shown: &Fingerprint) -> Problem {
    let known = known.iter().map(Fingerprint::as_str).collect::<Vec<_>>().join(" or ");
    Problem::new(Code::HostKeyChanged, format!("The ssh key of {address} is {shown}, but was {known}.")).with_fix(format!(
        "Somebody may be posing as {address}. {COMPARE}. Only if the new key is the host's own, let vmferry forget the old one: \
         remove the host and add it again, or run `vmferry known-hosts forget {address}` on the machine that vmferry runs on."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_key_counts_and_a_confirmed_one_where_none_is_known() {
        let address: Address = "192.0.2.7".parse().unwrap();
        let [one, two, three]: [Fingerprint; 3] =
            ["A", "B", "C"].map(|letter| format!("SHA256:{}", letter.repeat(43)).parse().unwrap());
        let outcome = |known: &[&Fingerprint], confirmed, shown: &Fingerprint| {
            let known: Vec<_> = known.iter().copied().cloned().collect();
            let refused = check(&address, &known, confirmed, shown).err();
            assert!(refused.iter().all(|problem| problem.fingerprint.as_deref() == Some(shown.as_str())));
            refused.map(|problem| problem.code)
        };
        assert_eq!(outcome(&[&one], None, &one), None);
        assert_eq!(outcome(&[&two, &one], Some(&one), &one), None);
        assert_eq!(outcome(&[], Some(&one), &one), None);
        assert_eq!(outcome(&[], None, &one), Some(Code::HostKeyUnknown));
        assert_eq!(outcome(&[], Some(&two), &one), Some(Code::HostKeyChanged));
        for confirmed in [None, Some(&one), Some(&two), Some(&three)] {
            assert_eq!(outcome(&[&two], confirmed, &one), Some(Code::HostKeyChanged), "a changed key is never taken");
        }
        let told = check(&address, std::slice::from_ref(&two), None, &one).unwrap_err().sentence;
        assert!(told.contains(one.as_str()) && told.contains(two.as_str()), "{told}");
    }
}
