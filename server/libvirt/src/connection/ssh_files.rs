//! The files that ssh connections of the console need.

use std::path::{Path, PathBuf};

use model::Secret;

/// What ssh needs that is kept in files, in the console's own directory.
#[derive(Clone, Debug)]
pub struct SshFiles {
    /// The hosts' keys, as OpenSSH writes them.
    pub known_hosts: PathBuf,
    /// The console's own key, encrypted; need not exist.
    pub console_key: PathBuf,
    /// What it is encrypted with.
    pub passphrase: Option<Secret>,
}

impl SshFiles {
    /// The usual files in this directory, which must be absolute, without a passphrase.
    pub fn below(directory: &Path) -> Self {
        Self {
            known_hosts: directory.join("known_hosts"),
            console_key: directory.join("console_key"),
            passphrase: None,
        }
    }
}
