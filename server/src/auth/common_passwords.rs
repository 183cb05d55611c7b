//! The most common passwords, which attackers try first.

/// One a line, in small letters, sorted, 8 characters or more: shorter ones are refused anyway.
const LIST: &str = include_str!("common_passwords.txt");

/// Whether a password, in small letters, is one of them.
pub(super) fn contains(password: &str) -> bool {
    LIST.lines().any(|line| line == password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_as_it_says() {
        let lines: Vec<&str> = LIST.lines().collect();
        assert!(lines.len() > 300);
        assert!(lines.is_sorted());
        assert!(lines.iter().all(|line| line.chars().count() >= 8 && line.to_lowercase() == *line));
    }
}
