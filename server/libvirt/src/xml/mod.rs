//! libvirt's XML: reading it, and changing parts of it while all else stays as it was.

pub(crate) mod rewrite;
pub(crate) mod splice;

use roxmltree::Node;

use crate::error::LibvirtError;

/// Parses a document that libvirt wrote.
pub(crate) fn parse(text: &str) -> Result<roxmltree::Document<'_>, LibvirtError> {
    roxmltree::Document::parse(text).map_err(|error| LibvirtError::unusable(format!("libvirt wrote bad XML: {error}")))
}

/// The children of this name.
pub(crate) fn children<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

/// The first element at the end of this path of names.
pub(crate) fn find<'a, 'input>(node: Node<'a, 'input>, path: &[&'static str]) -> Option<Node<'a, 'input>> {
    path.iter().try_fold(node, |node, name| children(node, name).next())
}

/// The text of the element at the end of this path; none if it is missing or empty.
pub(crate) fn text<'a>(node: Node<'a, '_>, path: &[&'static str]) -> Option<&'a str> {
    find(node, path)?.text().map(str::trim).filter(|text| !text.is_empty())
}

/// The attribute of the element at the end of this path.
pub(crate) fn attribute<'a>(node: Node<'a, '_>, path: &[&'static str], name: &str) -> Option<&'a str> {
    find(node, path)?.attribute(name)
}

/// The size in the element at the end of this path, in bytes. The attribute `unit` says what libvirt wrote it in.
pub(crate) fn bytes(node: Node<'_, '_>, path: &[&'static str]) -> Option<u64> {
    let unit = attribute(node, path, "unit");
    scaled(text(node, path)?.parse().ok()?, unit)
}

/// A number of these units, in bytes. Without a unit it is KiB, as in all definitions of domains.
pub(crate) fn scaled(number: u64, unit: Option<&str>) -> Option<u64> {
    let bytes = match unit.unwrap_or("KiB") {
        "b" | "bytes" => 1,
        "KiB" | "k" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found() {
        let document = parse("<a><b c='d'> text </b><b>second</b><e/></a>").unwrap();
        let a = document.root_element();
        assert_eq!(text(a, &["b"]), Some("text"));
        assert_eq!(attribute(a, &["b"], "c"), Some("d"));
        assert_eq!(children(a, "b").count(), 2);
        assert_eq!(text(a, &["e"]), None);
        assert_eq!(text(a, &["b", "missing"]), None);
        assert!(parse("<a>").is_err());
    }

    #[test]
    fn sizes_are_in_bytes() {
        let size = |xml: &str| bytes(parse(xml).unwrap().root_element(), &["m"]);
        assert_eq!(size("<a><m unit='KiB'>65536</m></a>"), Some(64 << 20));
        assert_eq!(size("<a><m unit='bytes'>512</m></a>"), Some(512));
        assert_eq!(size("<a><m>1</m></a>"), Some(1024));
        assert_eq!(size("<a><m unit='furlong'>1</m></a>"), None);
        assert_eq!(size("<a><m unit='GiB'>18446744073709551615</m></a>"), None);
    }
}
