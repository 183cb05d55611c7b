//! The most common passwords, which attackers try first, and the words that they are made of.

use std::{collections::HashSet, sync::LazyLock};

/// One a line, in small letters, sorted: the first 10,000 of zxcvbn's list (MIT, `common_passwords.LICENSE.txt`), all of it that is
/// long enough to be a password here, and what people take when a password expires: seasons, months, days.
const LIST: &str = include_str!("common_passwords.txt");
/// The fewest letters of a word. Three letters stand in random passwords, too.
const SHORTEST_WORD: usize = 4;

static PASSWORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| LIST.lines().collect());
static WORDS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let letters = |line: &&str| line.chars().filter(|c| c.is_alphabetic()).count() >= SHORTEST_WORD;
    LIST.lines().filter(letters).map(word).collect()
});

/// Whether a password, in small letters, is one of them.
pub(super) fn contains(password: &str) -> bool {
    PASSWORDS.contains(password)
}

/// Whether one of them comes to this [`word`].
pub(super) fn contains_word(word: &str) -> bool {
    WORDS.contains(word)
}

/// The letters of a text in small letters, with those read as letters that are written in place of them: `p4$$w0rd` is `password`.
pub(super) fn word(text: &str) -> String {
    text.chars().filter_map(letter).collect()
}

/// The letter as which a character is read, if it is. `l` is read as `i`, because 1 stands for both.
pub(super) fn letter(character: char) -> Option<char> {
    match character {
        '0' => Some('o'),
        '1' | '!' | '|' | 'l' => Some('i'),
        '3' | '€' => Some('e'),
        '4' | '@' => Some('a'),
        '5' | '$' => Some('s'),
        '7' | '+' => Some('t'),
        c => c.is_alphabetic().then_some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_as_it_says() {
        let lines: Vec<&str> = LIST.lines().collect();
        assert!(lines.len() > 10_000, "{}", lines.len());
        assert!(lines.is_sorted());
        assert!(lines.iter().all(|line| line.chars().count() >= SHORTEST_WORD && line.to_lowercase() == *line));
    }
}
