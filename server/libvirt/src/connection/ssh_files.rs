//! The files that the console's ssh connections need.

use std::path::{Path, PathBuf};

use model::Secret;

/// The files for ssh in the console's data directory.
#[derive(Clone, Debug)]
pub struct SshFiles {
    /// The hosts' keys, as OpenSSH writes them.
    pub known_hosts: PathBuf,
    /// The console's own key, encrypted; need not exist.
    pub console_key: PathBuf,
    /// The passphrase that the console's key is encrypted with.
    pub passphrase: Option<Secret>,
}

impl SshFiles {
    /// The usual file names in this directory, whose path must be absolute; no passphrase.
    pub fn below(directory: &Path) -> Self {
        Self {
            known_hosts: directory.join("known_hosts"),
            console_key: directory.join("console_key"),
            passphrase: None,
        }
    }
}
