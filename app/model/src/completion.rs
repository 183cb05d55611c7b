//! What a search that is being typed could become.

use crate::Field;

/// The most that is proposed: more are no help on a phone.
const MOST: usize = 12;
/// What is longer than that is not completed, in bytes.
const LONGEST: usize = 200;

/// Words for `state:`. A search takes the beginning of a state, in one word.
const STATES: [&str; 7] = ["running", "paused", "shut", "crashed", "asleep", "migrating", "unknown"];

/// The fields and values that the last word of a search may be meant for, each as the whole search: first fields, then hosts and tags in
/// the order given. Nothing is proposed that says no more than what was typed.
pub fn completions<'a>(
    typed: &str,
    hosts: impl IntoIterator<Item = &'a str>,
    tags: impl IntoIterator<Item = &'a str>,
) -> Vec<String> {
    if typed.len() > LONGEST {
        return Vec::new();
    }
    let from =
        typed.rfind(char::is_whitespace).map_or(0, |at| at + typed[at..].chars().next().map_or(0, char::len_utf8));
    let (before, word) = typed.split_at(from);
    let field_of = |name: &str| Field::ALL.iter().find(|field| field.as_str().eq_ignore_ascii_case(name)).copied();
    let named = word.split_once(':').and_then(|(name, value)| Some((field_of(name)?, value)));
    let valued = |field: Field, value: &str| format!("{}:{value}", field.as_str());
    let words: Vec<String> = match named {
        Some((Field::State, value)) => {
            STATES.iter().filter(|state| begins(state, value)).map(|state| valued(Field::State, state)).collect()
        }
        Some((Field::Host, value)) => hosts
            .into_iter()
            .filter(|host| begins(host, value))
            .map(|host| valued(Field::Host, host))
            .take(MOST)
            .collect(),
        Some((Field::Tag, value)) => tags
            .into_iter()
            .filter(|tag| is_word(tag) && begins(tag, value))
            .map(|tag| valued(Field::Tag, tag))
            .take(MOST)
            .collect(),
        Some(_) => Vec::new(),
        None => {
            let fields = Field::ALL.iter().filter(|field| begins(field.as_str(), word)).map(|field| valued(*field, ""));
            let is_begun = !word.is_empty();
            let hosts = hosts.into_iter().filter(|host| is_begun && begins(host, word));
            let tags = tags.into_iter().filter(|tag| is_begun && is_word(tag) && begins(tag, word));
            let hosts = hosts.map(|host| valued(Field::Host, host));
            fields.chain(hosts).chain(tags.map(|tag| valued(Field::Tag, tag))).take(MOST).collect()
        }
    };
    words.into_iter().map(|word| format!("{before}{word}")).filter(|whole| whole != typed).collect()
}

fn begins(text: &str, beginning: &str) -> bool {
    text.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

/// Whether it can be searched for: a tag with a space can't.
fn is_word(tag: &str) -> bool {
    !tag.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(typed: &str) -> String {
        completions(typed, ["alpha", "beta"], ["web", "two words", "audit"]).join("|")
    }

    #[test]
    fn fields_are_proposed_and_then_their_values() {
        assert_eq!(of(""), "name:|host:|state:|tag:|title:|uuid:|ip:");
        assert_eq!(of("ho"), "host:");
        assert_eq!(of("t"), "tag:|title:");
        assert_eq!(of("host:"), "host:alpha|host:beta");
        assert_eq!(of("HOST:B"), "host:beta");
        assert_eq!(of("web state:p"), "web state:paused");
        assert_eq!(of("tag:"), "tag:web|tag:audit", "one with a space can't be searched for");
        assert_eq!((of("name:w"), of("host:beta"), of("colour:")), (String::new(), String::new(), String::new()));
    }

    #[test]
    fn a_free_word_may_be_a_host_or_a_tag() {
        assert_eq!(of("a"), "host:alpha|tag:audit");
        assert_eq!(of("größe w"), "größe tag:web");
        assert_eq!(of("x\u{3000}be"), "x\u{3000}host:beta");
    }

    proptest! {
        #[test]
        fn what_is_proposed_goes_on_from_what_was_typed(typed in "\\PC{0,40}") {
            for whole in completions(&typed, ["alpha"], ["web"]) {
                prop_assert!(whole != typed);
            }
        }
    }
}
