//! The passphrase that the console's own ssh key is encrypted with.

use std::{
    env, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use model::Secret;

use super::ConfigError;

/// Where systemd puts the credentials of a service (systemd.exec(5), LoadCredential=).
const DIRECTORY: &str = "CREDENTIALS_DIRECTORY";
/// The credential's name.
const CREDENTIAL: &str = "key-passphrase";

/// The passphrase in this file, or in systemd's credential if no file is given.
pub(super) fn read(file: Option<&Path>) -> Result<Option<Secret>, ConfigError> {
    if let Some(file) = file {
        return private(file).map(Some);
    }
    // The mode of systemd's credentials is not checked: only the service can open their directory.
    let credential = env::var_os(DIRECTORY).map(|directory| PathBuf::from(directory).join(CREDENTIAL));
    credential.filter(|file| file.exists()).map(|file| line(&file)).transpose()
}

/// The passphrase in a file that only its owner may read.
fn private(file: &Path) -> Result<Secret, ConfigError> {
    let metadata = fs::metadata(file).map_err(|error| unreadable(file, error))?;
    if metadata.mode() & 0o077 != 0 {
        return Err(ConfigError::PassphraseExposed { file: file.to_owned() });
    }
    line(file)
}

fn line(file: &Path) -> Result<Secret, ConfigError> {
    let mut text = fs::read_to_string(file).map_err(|error| unreadable(file, error))?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.is_empty() {
        return Err(ConfigError::PassphraseEmpty { file: file.to_owned() });
    }
    Ok(Secret::new(text))
}

fn unreadable(file: &Path, source: std::io::Error) -> ConfigError {
    ConfigError::PassphraseUnreadable { file: file.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::test_directory::TestDirectory;

    fn written(directory: &TestDirectory, text: &str, mode: u32) -> PathBuf {
        // A file for each mode: only root could write to one again that its owner may only read.
        let file = directory.path().join(format!("passphrase-{mode:o}"));
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    #[test]
    fn only_its_owner_may_read_it() {
        let directory = TestDirectory::new();
        for mode in [0o600, 0o400] {
            let secret = read(Some(&written(&directory, "two words\n", mode))).unwrap();
            assert_eq!(secret.as_ref().map(Secret::reveal), Some("two words"));
        }
        for mode in [0o640, 0o604, 0o620] {
            let error = read(Some(&written(&directory, "two words\n", mode))).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
        assert!(read(Some(&written(&directory, "\n", 0o600))).is_err(), "it is empty");
        assert!(read(Some(&directory.path().join("nothing"))).is_err());
    }
}
