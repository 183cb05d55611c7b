//! libvirt's schema of definitions (`domain.rng`, of its package libvirt-common on Debian) against `table.rs`: a value that a newer
//! libvirt adds has to be looked at before a migration, or needs a reason why not.
//!
//! Values that are one of a few fixed words are the definition's own and need no row, unless they choose a driver or a kind.

mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::Path,
};

use roxmltree::{Document, Node};

use self::table::{TABLE, Treatment};

const DIRECTORY: &str = "/usr/share/libvirt/schemas";
const MAIN: &str = "domain.rng";
/// Attributes with fixed words that choose a driver or a kind of thing.
const KINDS: [&str; 3] = ["type", "model", "protocol"];
/// What libvirt 11.2, whose schema the table was made from, has and older versions have not.
const NEWEST: &str = "domain/throttlegroups/throttlegroup/group_name";

/// The texts of a schema file and those that it includes.
fn texts(name: &str, found: &mut BTreeMap<String, String>) {
    if found.contains_key(name) {
        return;
    }
    let text = fs::read_to_string(Path::new(DIRECTORY).join(name)).unwrap();
    let document = Document::parse(&text).unwrap();
    let includes = document.descendants().filter(|node| node.has_tag_name("include"));
    let includes: Vec<_> = includes.map(|node| node.attribute("href").unwrap().to_owned()).collect();
    drop(document);
    found.insert(name.to_owned(), text);
    includes.iter().for_each(|include| texts(include, found));
}

/// The schema's definitions by name, and what a walk through them has found.
struct Walk<'a, 'input> {
    defines: BTreeMap<&'a str, Vec<Node<'a, 'input>>>,
    seen: BTreeSet<(&'a str, String)>,
    /// Paths of the values that need a row.
    values: BTreeSet<String>,
}

impl<'a, 'input> Walk<'a, 'input> {
    /// What an element, attribute or reference leads to: the children of the definition, or its own.
    fn children(&self, node: Node<'a, 'input>) -> Vec<Node<'a, 'input>> {
        let of = |node: &Node<'a, 'input>| node.children().filter(Node::is_element).collect::<Vec<_>>();
        match node.tag_name().name() {
            "ref" => self.defines[node.attribute("name").unwrap()].iter().flat_map(of).collect(),
            _ => of(&node),
        }
    }

    fn walk(&mut self, node: Node<'a, 'input>, path: &str) {
        match node.tag_name().name() {
            "ref" if !self.seen.insert((node.attribute("name").unwrap(), path.to_owned())) => {}
            "element" => {
                for name in names(node) {
                    // Backing chains: an element inside one of its name.
                    if path.split('/').any(|part| part == name) {
                        continue;
                    }
                    let path = if path.is_empty() { name } else { format!("{path}/{name}") };
                    if self.children(node).into_iter().any(|child| self.is_free(child, 0)) {
                        self.values.insert(path.clone());
                    }
                    self.children(node).into_iter().for_each(|child| self.walk(child, &path));
                }
            }
            "attribute" => {
                let is_free =
                    !node.has_children() || self.children(node).into_iter().any(|child| self.is_free(child, 0));
                let wanted = names(node).into_iter().filter(|name| is_free || KINDS.contains(&name.as_str()));
                self.values.extend(wanted.map(|name| format!("{path}@{name}")));
            }
            _ => self.children(node).into_iter().for_each(|child| self.walk(child, path)),
        }
    }

    /// Whether a content is more than a few fixed words. Definitions of values refer to each other less than 20 times deep.
    fn is_free(&self, node: Node<'a, 'input>, depth: usize) -> bool {
        match node.tag_name().name() {
            "text" | "data" => true,
            "value" | "element" | "attribute" => false,
            _ => depth < 20 && self.children(node).into_iter().any(|child| self.is_free(child, depth + 1)),
        }
    }
}

/// An element's or attribute's names; `*` for any.
fn names(node: Node<'_, '_>) -> Vec<String> {
    if let Some(name) = node.attribute("name") {
        return vec![name.to_owned()];
    }
    let named = node.children().filter(|child| child.has_tag_name("name")).filter_map(|child| child.text());
    let named: Vec<_> = named.map(str::to_owned).collect();
    if named.is_empty() { vec!["*".to_owned()] } else { named }
}

/// The paths of all values of a definition that need a row.
fn values() -> BTreeSet<String> {
    let mut files = BTreeMap::new();
    texts(MAIN, &mut files);
    let documents: Vec<_> = files.values().map(|text| Document::parse(text).unwrap()).collect();
    let mut defines: BTreeMap<&str, Vec<Node<'_, '_>>> = BTreeMap::new();
    for define in documents.iter().flat_map(Document::descendants).filter(|node| node.has_tag_name("define")) {
        defines.entry(define.attribute("name").unwrap()).or_default().push(define);
    }
    let domain = defines["domain"][0];
    let mut walk = Walk { defines, seen: BTreeSet::new(), values: BTreeSet::new() };
    walk.walk(domain, "");
    walk.values
}

/// Whether a pattern of the table is for a path.
fn fits(pattern: &str, path: &str) -> bool {
    let ends = |pattern: &str, path: &str| {
        path.strip_suffix(pattern).is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    if let Some(above) = pattern.strip_suffix("**") {
        return path.match_indices(above).any(|(at, _)| at == 0 || path[..at].ends_with('/'));
    }
    match pattern.strip_suffix('*') {
        Some(above) => ends(above, &path[..path.rfind(['/', '@']).map_or(0, |at| at + 1)]),
        None => ends(pattern, path),
    }
}

#[test]
fn every_value_of_a_definition_is_looked_at_or_needs_none() {
    if !Path::new(DIRECTORY).join(MAIN).exists() {
        let note =
            "\nPASSED OVER: libvirt's schema against the table: it is not installed (package libvirt-common)\n\n";
        let _ = io::stderr().write_all(note.as_bytes());
        return;
    }
    let values = values();
    assert!(values.len() > 1000, "the walk finds only {}", values.len());
    let patterns: Vec<_> = TABLE.iter().flat_map(|(_, patterns)| *patterns).collect();
    let unknown: Vec<_> = values.iter().filter(|path| !patterns.iter().any(|pattern| fits(pattern, path))).collect();
    assert!(unknown.is_empty(), "table.rs has no row for {unknown:#?}");
    if values.contains(NEWEST) {
        let unused: Vec<_> = patterns.iter().filter(|pattern| !values.iter().any(|path| fits(pattern, path))).collect();
        assert!(unused.is_empty(), "table.rs has rows for nothing: {unused:#?}");
    }
}

#[test]
fn every_row_names_a_finding_that_says_what_it_looks_at_or_a_reason() {
    for (treatment, patterns) in TABLE {
        let says = match treatment {
            Treatment::LookedAtBy(code) => code.meaning(),
            Treatment::NeedsNone(reason) => reason,
        };
        assert!(says.contains(' ') && !patterns.is_empty(), "{treatment:?}");
    }
}

#[test]
fn patterns_fit_ends_of_paths() {
    assert!(fits("source@path", "domain/devices/serial/source@path"));
    assert!(fits("serial/source@path", "domain/devices/serial/source@path"));
    assert!(!fits("urce@path", "domain/devices/serial/source@path"));
    assert!(fits("iotune/*", "domain/devices/disk/iotune/read_bytes_sec"));
    assert!(fits("address@*", "domain/devices/disk/address@bus"));
    assert!(!fits("address@*", "domain/devices/disk/address/zpci@fid"));
    assert!(fits("numa/**", "domain/cpu/numa/cell/cache@level"));
    assert!(!fits("numa/**", "domain/numatune/memory@nodeset"));
}
