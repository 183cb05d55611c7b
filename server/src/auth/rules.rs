//! What a password may be: long enough and not one that everybody tries. No rules about kinds of characters, which only make
//! people write `Password1!` (OWASP ASVS 6.2).

use model::{Code, Problem};

use super::common_passwords;

/// The fewest characters.
const SHORTEST: usize = 8;
/// The most bytes.
const LONGEST: usize = 1024;

/// Checks a password that the user `name` wants.
pub(super) fn check(name: &str, password: &str) -> Result<(), Problem> {
    let weak = |sentence: &str| {
        Err(Problem::new(Code::WeakPassword, sentence)
            .with_fix("Take three or four words that have nothing to do with each other."))
    };
    if password.chars().count() < SHORTEST {
        return weak("The password is too short: it needs at least 8 characters.");
    }
    if password.len() > LONGEST {
        return weak("The password is too long: it may have 1024 bytes.");
    }
    let folded = password.to_lowercase();
    let bare = folded.trim_matches(|c: char| !c.is_alphabetic());
    if bare == name.to_lowercase() || bare == "vmferry" {
        return weak("The password is the first that anybody would guess.");
    }
    if common_passwords::contains(&folded) {
        return weak("The password is one of the commonest there are.");
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
        for password in [
            "",
            "seven c",
            "Password",
            "password1",
            "1234567890",
            "QWERTYUIOP",
            "Lovelace1815",
            "vmferry!!",
            &"long ".repeat(300),
        ] {
            assert_eq!(check("lovelace", password).unwrap_err().code, Code::WeakPassword, "{password}");
        }
    }
}
