//! Texts with names in them: `domain '{name}' is already active`. The same form finds names in libvirt's words, and puts them
//! into a sentence.

/// The names found in a text, and their values.
pub(super) type Names<'a> = Vec<(&'static str, &'a str)>;

/// What the names of `template` stand for in `text`, or none if `text` does not have the parts between them, in this order.
///
/// `{}` matches a text that is not used. A name at the end stands for the rest of the line. No name stands for nothing, or for more
/// than one line.
pub(super) fn find<'a>(template: &'static str, text: &'a str) -> Option<Names<'a>> {
    let mut names = Names::new();
    let mut rest = text;
    for (name, literal) in parts(template) {
        let ends_line = name.is_some() && literal.is_empty();
        let at = if ends_line { rest.find('\n').unwrap_or(rest.len()) } else { rest.find(literal)? };
        if let Some(name) = name {
            let value = if ends_line { rest[..at].trim_end_matches('.') } else { &rest[..at] }.trim();
            if value.is_empty() || value.contains('\n') {
                return None;
            }
            names.push((name, value));
        }
        rest = &rest[at + literal.len()..];
    }
    Some(names)
}

/// `template` with what `meant` says in the place of its names.
pub(super) fn fill<'a>(template: &'static str, meant: impl Fn(&str) -> Option<&'a str>) -> String {
    let part = |(name, literal): (Option<&'static str>, &'static str)| {
        [name.and_then(&meant).unwrap_or_default(), literal].concat()
    };
    parts(template).map(part).collect()
}

/// The names of a template.
#[cfg(test)]
pub(super) fn names(template: &'static str) -> impl Iterator<Item = &'static str> {
    parts(template).filter_map(|(name, _)| name)
}

/// A template in parts: a name, if there is one, and the words up to the next.
fn parts(template: &'static str) -> impl Iterator<Item = (Option<&'static str>, &'static str)> {
    template.split('{').map(|part| match part.split_once('}') {
        Some((name, literal)) => (Some(name), literal),
        None => (None, part),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_found() {
        let found = |template, text| find(template, text);
        assert_eq!(found("is 'on'", "the light is 'on' now"), Some(vec![]));
        assert_eq!(found("is 'on'", "the light is 'off' now"), None);
        assert_eq!(found("a '{x}' b {y}", "oh: a '1' b 2, 3."), Some(vec![("x", "1"), ("y", "2, 3")]));
        assert_eq!(found("a '{x}' b {y}", "oh: a '1' b 2\nmore"), Some(vec![("x", "1"), ("y", "2")]));
        assert_eq!(found("a '{x}'", "a ''"), None, "a name of nothing");
        assert_eq!(found("a {x} b", "a 1\n b"), Some(vec![("x", "1")]));
        assert_eq!(found("a {x} b", "a 1\n2 b"), None, "a name of two lines");
        assert_eq!(found("", "anything"), Some(vec![]));
    }

    #[test]
    fn sentences_are_filled() {
        let meant = |name: &str| (name == "host").then_some("{host}");
        assert_eq!(fill("{host} is {what}.", meant), "{host} is .", "what stands for a name is not filled again");
    }

    proptest! {
        #[test]
        fn what_is_found_is_in_the_text(text in "(.|\n|a '|' b ){0,9}") {
            for (_, value) in find("a '{x}' b {y}", &text).unwrap_or_default() {
                prop_assert!(text.contains(value) && !value.contains('\n'));
            }
        }
    }
}
