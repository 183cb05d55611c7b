//! What a browser loads on its first visit: the front end's WebAssembly, the JavaScript that starts it, and the style sheet.
//!
//! `make test` checks the size, so that it grows on purpose only. The build does not: sizes differ by a few hundred bytes
//! between standard libraries for WebAssembly, and a build has to succeed with any of them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// The most that a first visit may load, in bytes of brotli. ARCHITECTURE.md says what keeps it small.
const LIMIT: u64 = 450_000;

/// Prints the size of a first visit to a release site, and fails if it is over the limit.
pub fn check(site: &Path) -> Result<()> {
    let size = size(site)?;
    println!("a first visit: {size} bytes in brotli, at most {LIMIT}");
    ensure!(
        size <= LIMIT,
        "a first visit loads {} bytes too many; `cargo tree -p frontend --target wasm32-unknown-unknown` shows the crates in it",
        size - LIMIT
    );
    Ok(())
}

/// The size in bytes of the files that `assets.json` names, in brotli.
fn size(site: &Path) -> Result<u64> {
    let assets =
        fs::read(site.join("assets.json")).context("there is no site: build it with `cargo xtask site --release`")?;
    let assets: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&assets).context("assets.json is damaged")?;
    let mut total = 0;
    for (kind, url) in &assets {
        let url = url.as_str().with_context(|| format!("assets.json names no file as {kind}"))?;
        let file = site.join(format!("{}.br", url.trim_start_matches('/')));
        total += fs::metadata(&file)
            .with_context(|| format!("{} is missing: this is not the site of a release", file.display()))?
            .len();
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Site, tests::Folder};

    /// A site with assets of these sizes in brotli, and a file that a first visit does not load.
    fn written(folder: &Folder, sizes: [usize; 3]) {
        let mut site = Site::default();
        let names = ["a.js", "b.wasm", "c.css"];
        for (name, size) in names.into_iter().zip(sizes) {
            site.add(&format!("pkg/{name}.br"), vec![0; size]);
        }
        site.add("icon.svg.br", vec![0; 1_000_000]);
        site.add("assets.json", br#"{"js": "/pkg/a.js", "wasm": "/pkg/b.wasm", "css": "/pkg/c.css"}"#.to_vec());
        site.write(folder.path()).unwrap();
    }

    #[test]
    fn what_a_first_visit_loads_is_added_up() {
        let folder = Folder::new("first-visit-sum");
        written(&folder, [20, 300, 4]);
        assert_eq!(size(folder.path()).unwrap(), 324);
    }

    #[test]
    fn one_byte_over_the_limit_is_too_many() {
        let folder = Folder::new("first-visit-limit");
        let most = usize::try_from(LIMIT).unwrap() - 1;
        written(&folder, [0, most, 1]);
        assert!(check(folder.path()).is_ok());
        written(&folder, [1, most, 1]);
        let error = check(folder.path()).unwrap_err().to_string();
        assert!(error.starts_with("a first visit loads 1 bytes too many"), "{error}");
    }

    #[test]
    fn a_site_that_is_not_compressed_cannot_be_checked() {
        let folder = Folder::new("first-visit-debug");
        let mut site = Site::default();
        site.add("pkg/a.js", b"let a;".to_vec());
        site.add("assets.json", br#"{"js": "/pkg/a.js"}"#.to_vec());
        site.write(folder.path()).unwrap();
        assert!(check(folder.path()).unwrap_err().to_string().contains("not the site of a release"));
    }
}
