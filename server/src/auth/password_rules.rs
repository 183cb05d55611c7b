//! What a password may be: long enough, and not what an attacker tries first, which NIST SP 800-63B (3.1.1.2) wants refused: common
//! passwords, the account's own words, repetitions and sequences, each also with changed ends. No rules about kinds of characters, which
//! only make people write `Password1!` (OWASP ASVS 6.2).

use super::common_passwords;
use crate::host_name::host_name;

/// The fewest characters.
pub(super) const SHORTEST: usize = 12;
/// The most bytes.
const LONGEST: usize = 1024;
/// Whoever attacks a console knows what it is.
const PRODUCT: [&str; 5] = ["vmferry", "libvirt", "qemu", "kvm", "virsh"];
/// What is left of a password beside the account's own words has to have so many letters to count.
const FEWEST_LETTERS: usize = 4;
/// Characters beside each other on a keyboard, in the alphabet, or in a number.
const ROWS: [&str; 7] =
    ["abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm"];

/// Why a password is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// It has fewer than 12 characters.
    TooShort,
    /// It has more than 1024 bytes.
    TooLong,
    /// It is made of the names of the user, this machine or the console.
    OwnWords,
    /// It repeats itself, or follows a row of the keyboard or the alphabet.
    Sequence,
    /// It is on the list of common ones, perhaps with other ends.
    Common,
}

/// Checks a password that the user `name` wants.
///
/// # Errors
/// Why it is not allowed.
pub(super) fn check(name: &str, password: &str) -> Result<(), Weakness> {
    let host = host_name().unwrap_or_default();
    let own = PRODUCT.into_iter().chain([name]).chain(host.split('.'));
    check_beside(&own.collect::<Vec<_>>(), password)
}

/// Checks a password of an account with these words of its own.
fn check_beside(own: &[&str], password: &str) -> Result<(), Weakness> {
    if password.chars().count() < SHORTEST {
        return Err(Weakness::TooShort);
    }
    if password.len() > LONGEST {
        return Err(Weakness::TooLong);
    }
    let folded = password.to_lowercase();
    if common_passwords::contains(&folded) {
        return Err(Weakness::Common);
    }
    if is_sequence(&folded.chars().collect::<Vec<_>>()) {
        return Err(Weakness::Sequence);
    }
    words(&folded).iter().try_for_each(|word| check_word(own, word))
}

/// What the password may be without its digits and signs: they stand at an end, between letters, or in place of letters.
fn words(folded: &str) -> [String; 4] {
    let sign = |c: char| !c.is_alphabetic();
    let letters: String = folded.chars().filter(|c| c.is_alphabetic()).collect();
    [&letters, folded.trim_matches(sign), folded.trim_end_matches(sign), folded].map(common_passwords::word)
}

fn check_word(own: &[&str], word: &str) -> Result<(), Weakness> {
    let own = own.iter().map(|own| common_passwords::word(&own.to_lowercase())).filter(|own| own.len() > 2);
    let rest = own.fold(word.to_owned(), |rest, own| rest.replace(&own, ""));
    if rest.len() < word.len() && rest.chars().count() < FEWEST_LETTERS {
        return Err(Weakness::OwnWords);
    }
    if common_passwords::contains_word(&rest) { Err(Weakness::Common) } else { Ok(()) }
}

/// Whether it repeats itself, or three of four characters are the next of a row, or the same again.
fn is_sequence(characters: &[char]) -> bool {
    let length = characters.len();
    let repeats = (1..=length / 2).any(|period| characters[period..] == characters[..length - period]);
    let follows = characters.windows(2).filter(|pair| is_next(pair[0], pair[1])).count();
    repeats || 4 * follows >= 3 * (length - 1)
}

fn is_next(one: char, other: char) -> bool {
    let (forwards, backwards) = (String::from_iter([one, other]), String::from_iter([other, one]));
    one == other || ROWS.iter().any(|row| row.contains(&forwards) || row.contains(&backwards))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_password() {
        let long = "long words ".repeat(50) + "end";
        for password in [
            "correct horse",
            "zwölf süße äpfel",
            "vmferry is good",
            "Lovelace eats apples",
            "x7#kQ9!2m4$z",
            "849201736458",
            "rack1 burned down",
            "tent-copper-9",
            &long,
        ] {
            assert_eq!(check_beside(&["vmferry", "lovelace", "rack1"], password), Ok(()), "{password}");
        }
    }

    #[test]
    fn what_may_not() {
        for (password, weakness) in [
            ("", Weakness::TooShort),
            ("eleven char", Weakness::TooShort),
            ("Password1!", Weakness::TooShort),
            ("Welcome2026", Weakness::TooShort),
            ("Password1!!!", Weakness::Common),
            ("Welcome2026!", Weakness::Common),
            ("!!2026Welcome", Weakness::Common),
            ("P@$$w0rd-2026", Weakness::Common),
            ("$unsh1ne-2026", Weakness::Common),
            ("pass-word-2026", Weakness::Common),
            ("Summer2026!!", Weakness::Common),
            ("1qaz2wsx3edc", Weakness::Common),
            ("Justinbieber", Weakness::Common),
            ("LovelacePassword1", Weakness::Common),
            ("vmferry-admin-1", Weakness::Common),
            ("Lovelace1815!", Weakness::OwnWords),
            ("1815-l0ve1ace", Weakness::OwnWords),
            ("lovelacelovelace1", Weakness::OwnWords),
            ("VMferry@rack1", Weakness::OwnWords),
            ("vmferry!!!!!", Weakness::OwnWords),
            ("0123456789012", Weakness::Sequence),
            ("abcdefghijkl", Weakness::Sequence),
            ("mnbvcxzlkjhgfdsa", Weakness::Sequence),
            ("aaaabbbbcccc", Weakness::Sequence),
            ("apple7apple7apple", Weakness::Sequence),
            (&"long ".repeat(300), Weakness::TooLong),
        ] {
            assert_eq!(check_beside(&["vmferry", "lovelace", "rack1"], password), Err(weakness), "{password}");
        }
    }

    #[test]
    fn this_machines_name_is_no_password() {
        let own = host_name().filter(|name| name.len() > 3).map(|name| format!("{name}-2026!!!!!!!!"));
        for password in own.into_iter().chain(["vmferry2026!!".to_owned(), "ada-ada-2026!".to_owned()]) {
            assert!(check("ada", &password).is_err(), "{password}");
        }
    }
}
