//! Writing XML: escaping strings, and changing a document so that the rest stays byte for byte as it was.

use std::ops::Range;

/// A string as an attribute's value or as text. White space is escaped, too, where XML would turn it into spaces.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' => escaped.push_str("&#9;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Changes to a document that are applied together. Their positions are those in the unchanged document.
#[derive(Default)]
pub(crate) struct Changes(Vec<(Range<usize>, String)>);

impl Changes {
    /// Replaces these bytes with `text`.
    pub(crate) fn replace(&mut self, range: Range<usize>, text: String) {
        self.0.push((range, text));
    }

    /// Inserts `text` at this position.
    pub(crate) fn insert(&mut self, position: usize, text: &str) {
        self.replace(position..position, text.to_owned());
    }

    /// Removes these bytes of the document, and the white space before them.
    pub(crate) fn remove(&mut self, document: &str, range: Range<usize>) {
        let start = document[..range.start].trim_end().len();
        self.0.push((start..range.end, String::new()));
    }

    /// The document with all changes. They must not overlap.
    pub(crate) fn apply(mut self, document: &str) -> String {
        self.0.sort_by_key(|(range, _)| range.start);
        let mut changed = String::with_capacity(document.len());
        let mut position = 0;
        for (range, text) in self.0 {
            changed.push_str(&document[position..range.start]);
            changed.push_str(&text);
            position = range.end;
        }
        changed.push_str(&document[position..]);
        changed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn changes_are_made_in_whatever_order_they_come() {
        let document = "<a> <b/>\n  <c/> </a>";
        let mut changes = Changes::default();
        changes.remove(document, document.find("<c/>").unwrap()..document.find(" </a>").unwrap());
        changes.insert(6, " e='f'");
        changes.replace(5..6, "d".to_owned());
        assert_eq!(changes.apply(document), "<a> <d e='f'/> </a>");
    }

    proptest! {
        #[test]
        fn a_string_comes_back_as_it_was(text in "[\\t\\n\\r -\u{d7ff}]{0,40}") {
            let document = format!("<a b='{0}' c=\"{0}\">{0}</a>", escaped(&text));
            let document = roxmltree::Document::parse(&document).unwrap();
            let root = document.root_element();
            prop_assert_eq!(root.attribute("b"), Some(text.as_str()));
            prop_assert_eq!(root.attribute("c"), Some(text.as_str()));
            prop_assert_eq!(root.text().unwrap_or(""), text.as_str());
            prop_assert!(root.children().all(|child| child.is_text()));
        }
    }
}
