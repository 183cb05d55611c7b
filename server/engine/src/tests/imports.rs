//! No circle of imports crosses the engine's folders: each file at the top level and each folder is a node, each `crate::` path an edge.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

type Graph = BTreeMap<String, BTreeSet<String>>;

/// All Rust sources below a folder but tests.
fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let entries = entries.filter(|path| path.file_stem().is_none_or(|name| name != "tests"));
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![fs::read_to_string(path).unwrap()] })
        .collect()
}

/// The first segment of every path from the crate's root: of `use crate::{a::{b, c}, d}` that is `a` and `d`.
fn imports(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in source.split("crate::").skip(1) {
        let end =
            if path.starts_with('{') { path.find(';') } else { path.find(|c: char| !c.is_alphanumeric() && c != '_') };
        let (mut depth, mut list) = (0, String::new());
        for c in path[..end.unwrap_or(path.len())].chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            list.extend((depth <= 1 && !"{} \n".contains(c)).then_some(c));
        }
        let heads = list.split(',').filter_map(|item| item.split(':').next());
        found.extend(heads.filter(|name| !name.is_empty() && !name.contains('(')).map(str::to_owned));
    }
    found
}

fn reaches(graph: &Graph, from: &str, to: &str, seen: &mut BTreeSet<String>) -> bool {
    let next = graph.get(from).into_iter().flatten();
    next.into_iter().any(|next| next == to || (seen.insert(next.clone()) && reaches(graph, next, to, seen)))
}

#[test]
fn no_circle_of_imports_crosses_folders() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut graph = Graph::new();
    for path in fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if !["lib", "tests"].contains(&&*name) {
            let texts = if path.is_dir() { sources(&path) } else { vec![fs::read_to_string(&path).unwrap()] };
            graph.insert(name.clone(), texts.iter().flat_map(|text| imports(text)).filter(|to| *to != name).collect());
        }
    }
    assert!(graph["migration"].contains("storage") && graph["engine"].contains("migration"), "{graph:?}");
    let unknown: Vec<_> = graph.values().flatten().filter(|name| !graph.contains_key(*name)).collect();
    assert!(unknown.is_empty(), "imports that go through lib.rs hide where they lead: {unknown:?}");
    for name in graph.keys() {
        assert!(!reaches(&graph, name, name, &mut BTreeSet::new()), "{name} imports itself in a circle: {graph:#?}");
    }
}
