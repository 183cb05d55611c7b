//! What a password may be: long enough, and not what an attacker tries first, which NIST SP 800-63B (3.1.1.2) wants refused: common
//! passwords, the account's own words, repetitions and sequences, each also with changed ends. No rules about kinds of characters, which
//! only make people write `Password1!` (OWASP ASVS 6.2).

use std::cmp::Reverse;

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
    let own = own_words(own);
    texts(&folded).iter().try_for_each(|text| check_text(&own, text))
}

/// What the password may be without its digits and signs: they stand at an end, between letters, or in place of letters.
fn texts(folded: &str) -> [String; 4] {
    let sign = |c: char| !c.is_alphabetic();
    [&letters_of(folded), folded.trim_matches(sign), folded.trim_end_matches(sign), folded].map(str::to_owned)
}

fn letters_of(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).collect()
}

/// The words as a password may have them: with the letters that their digits stand for, and without. The longest first, because one
/// may be a part of another. Two letters stand in random passwords, too.
fn own_words(own: &[&str]) -> Vec<Vec<char>> {
    let folded = own.iter().map(|own| own.to_lowercase());
    let words = folded.flat_map(|own| [common_passwords::word(&own), common_passwords::word(&letters_of(&own))]);
    let mut words: Vec<Vec<char>> =
        words.map(|word| word.chars().collect()).filter(|word: &Vec<_>| word.len() > 2).collect();
    words.sort_by_key(|word| Reverse(word.len()));
    words
}

fn check_text(own: &[Vec<char>], text: &str) -> Result<(), Weakness> {
    // Each with whether it is a letter itself: digits and signs that are left do not count.
    let word: Vec<(char, bool)> =
        text.chars().filter_map(|c| Some((common_passwords::letter(c)?, c.is_alphabetic()))).collect();
    let rest = own.iter().fold(word.clone(), |rest, own| without(rest, own));
    if rest.len() < word.len() && rest.iter().filter(|(_, is_itself)| *is_itself).count() < FEWEST_LETTERS {
        return Err(Weakness::OwnWords);
    }
    let rest: String = rest.into_iter().map(|(letter, _)| letter).collect();
    if common_passwords::contains_word(&rest) { Err(Weakness::Common) } else { Ok(()) }
}

fn without(mut word: Vec<(char, bool)>, own: &[char]) -> Vec<(char, bool)> {
    let is_own = |part: &[(char, bool)]| part.iter().map(|(letter, _)| letter).eq(own);
    while let Some(at) = word.windows(own.len()).position(is_own) {
        word.drain(at..at + own.len());
    }
    word
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

    /// Names as clouds, containers and installers give them, of which much is digits.
    #[test]
    fn a_name_with_digits_is_no_password() {
        for name in [
            "debian12",
            "ip-10-0-0-5",
            "rack1",
            "web-01",
            "kvm-host-1",
            "DESKTOP-A1B2C34",
            "3f2a9c81b0de",
            "1234567890ab",
            "ada",
            "lovelace7",
        ] {
            let own: Vec<&str> = PRODUCT.into_iter().chain([name]).collect();
            for end in ["-2026!!!!!!!!", "!!!!!!!!!", "1815$$$$$"] {
                let password = format!("{name}{end}");
                let refused = check_beside(&own, &password).unwrap_err();
                // `1234567890ab` is a name that a container may get.
                assert!(matches!(refused, Weakness::OwnWords | Weakness::Sequence), "{password}: {refused:?}");
            }
            let password = format!("{name} has cold tea");
            assert_eq!(check_beside(&own, &password), Ok(()), "{password}");
        }
    }

    #[test]
    fn names_of_the_user_and_the_console_are_no_password() {
        for password in ["vmferry2026!!", "ada-ada-2026!"] {
            assert_eq!(check("ada", password), Err(Weakness::OwnWords), "{password}");
        }
    }
}
