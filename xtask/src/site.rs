//! The folder of files that the server hands out.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::compress;

/// Files by their path below the site's root, with `/` between folders.
#[derive(Default)]
pub struct Site {
    files: BTreeMap<String, Vec<u8>>,
}

impl Site {
    /// Adds a file under its own name.
    pub fn add(&mut self, path: &str, content: Vec<u8>) {
        self.files.insert(path.into(), content);
    }

    /// Adds a file under a name that changes with its content, so that browsers may cache it for ever. Returns its address, such as
    /// `/pkg/vmferry.0123456789abcdef.css`.
    pub fn add_hashed(&mut self, extension: &str, content: Vec<u8>) -> String {
        let path = format!("pkg/vmferry.{}.{extension}", content_hash(&content));
        self.add(&path, content);
        format!("/{path}")
    }

    /// Adds all files of a folder under the names that they have there.
    pub fn add_folder(&mut self, folder: &Path) -> Result<()> {
        for (path, content) in read_folder(folder)? {
            self.add(&path, content);
        }
        Ok(())
    }

    /// Adds a `.br` and a `.gz` for every file that shrinks. Those of unchanged files are taken from `earlier`, the site as written
    /// last time: compressing is most of the work of a build in which nothing changed.
    pub fn compress(&mut self, earlier: &Path) -> Result<()> {
        let earlier = Site { files: read_folder(earlier)? };
        let mut compressed = BTreeMap::new();
        for (plain, content) in self.files.iter().filter(|(path, _)| compress::is_compressible(path)) {
            let unchanged = earlier.files.get(plain) == Some(content);
            for (suffix, encode) in [("br", compress::brotli as fn(&str, &[u8]) -> _), ("gz", compress::gzip)] {
                let path = format!("{plain}.{suffix}");
                let known = earlier.files.get(&path).filter(|_| unchanged).cloned();
                compressed.insert(path, known.map_or_else(|| encode(plain, content), Ok)?);
            }
        }
        self.files.extend(compressed);
        Ok(())
    }

    /// Makes the folder hold these files and no others. An unchanged file keeps its time stamp, so that cargo does not rebuild the
    /// server that embeds it.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let earlier = read_folder(folder)?;
        for path in earlier.keys().filter(|path| !self.files.contains_key(*path)) {
            let path = folder.join(path);
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        for (path, content) in self.files.iter().filter(|(path, content)| earlier.get(*path) != Some(*content)) {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap_or(folder))
                .and_then(|()| fs::write(&path, content))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// The size in bytes of the file at an address of the site.
    pub fn size(&self, url: &str) -> Option<u64> {
        self.files.get(url.trim_start_matches('/')).map(|content| content.len() as u64)
    }
}

/// Enough of the SHA-256 to distinguish any two versions of a file.
fn content_hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// All files below a folder, none if there is no such folder.
fn read_folder(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        entries => entries.with_context(|| format!("cannot list {}", folder.display()))?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().with_context(|| format!("{:?} is no UTF-8", entry.path()))?;
        if entry.file_type()?.is_dir() {
            files.extend(
                read_folder(&entry.path())?.into_iter().map(|(path, content)| (format!("{name}/{path}"), content)),
            );
        } else {
            let content = fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
            files.insert(name, content);
        }
    }
    Ok(files)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A folder of its own for one test, removed at its end.
    pub struct Folder(std::path::PathBuf);

    impl Folder {
        pub fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("vmferry-xtask-{test}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        pub fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_name_changes_with_the_content() {
        let mut site = Site::default();
        let first = site.add_hashed("css", b"a {}".to_vec());
        assert_ne!(first, site.add_hashed("css", b"b {}".to_vec()));
        assert_eq!(first, site.add_hashed("css", b"a {}".to_vec()));
        assert_eq!(site.size(&first), Some(4));
        assert!(first.starts_with("/pkg/vmferry.") && first.ends_with(".css"));
    }

    #[test]
    fn writing_removes_what_is_no_longer_part_of_the_site() {
        let folder = Folder::new("stale");
        let (mut before, mut after) = (Site::default(), Site::default());
        before.add_hashed("css", b"a {}".to_vec());
        before.compress(&folder.0).unwrap();
        before.write(&folder.0).unwrap();
        after.add_hashed("css", b"b {}".to_vec());
        after.add("icon.svg", b"<svg/>".to_vec());
        after.write(&folder.0).unwrap();
        assert_eq!(read_folder(&folder.0).unwrap(), after.files);
    }

    #[test]
    fn compressed_files_are_reused_only_if_the_content_is_the_same() {
        let folder = Folder::new("reuse");
        let mut earlier = Site::default();
        earlier.add("a.css", b"a {}".to_vec());
        earlier.add("a.css.br", b"made earlier".to_vec());
        earlier.add("b.css", b"b {}".to_vec());
        earlier.add("b.css.br", b"of another content".to_vec());
        earlier.write(&folder.0).unwrap();

        let mut site = Site::default();
        site.add("a.css", b"a {}".to_vec());
        site.add("b.css", b"b { color: red }".to_vec());
        site.compress(&folder.0).unwrap();
        assert_eq!(site.files["a.css.br"], b"made earlier");
        assert_eq!(site.files["b.css.br"], compress::brotli("b.css", b"b { color: red }").unwrap());
    }
}
