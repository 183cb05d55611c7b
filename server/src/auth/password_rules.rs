//! What a password may be: long enough and not a common one. No rules about kinds of characters, which only make people write
//! `Password1!` (OWASP ASVS 6.2).

use super::common_passwords;

/// The fewest characters.
const SHORTEST: usize = 8;
/// The most bytes.
const LONGEST: usize = 1024;

/// Why a password is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// It has fewer than 8 characters.
    TooShort,
    /// It has more than 1024 bytes.
    TooLong,
    /// It is the user's name or the console's, perhaps with digits around it.
    Guessable,
    /// It is on the list of common ones.
    Common,
}

/// Checks a password that the user `name` wants.
///
/// # Errors
/// Why it is not allowed.
pub(super) fn check(name: &str, password: &str) -> Result<(), Weakness> {
    if password.chars().count() < SHORTEST {
        return Err(Weakness::TooShort);
    }
    if password.len() > LONGEST {
        return Err(Weakness::TooLong);
    }
    let folded = password.to_lowercase();
    let bare = folded.trim_matches(|c: char| !c.is_alphabetic());
    if bare == name.to_lowercase() || bare == "vmferry" {
        return Err(Weakness::Guessable);
    }
    if common_passwords::contains(&folded) {
        return Err(Weakness::Common);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_password() {
        for password in ["correct horse", "12 äpfel", "ßßßßßßßß", "vmferry is good", &"long ".repeat(200)] {
            assert_eq!(check("ada", password), Ok(()), "{password}");
        }
    }

    #[test]
    fn what_may_not() {
        for (password, weakness) in [
            ("", Weakness::TooShort),
            ("seven c", Weakness::TooShort),
            ("Password", Weakness::Common),
            ("password1", Weakness::Common),
            ("1234567890", Weakness::Common),
            ("QWERTYUIOP", Weakness::Common),
            ("Lovelace1815", Weakness::Guessable),
            ("vmferry!!", Weakness::Guessable),
            (&"long ".repeat(300), Weakness::TooLong),
        ] {
            assert_eq!(check("lovelace", password), Err(weakness), "{password}");
        }
    }
}
