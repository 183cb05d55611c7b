//! The console's own ssh key: ed25519, in OpenSSH's form, encrypted with a passphrase that is kept elsewhere.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use model::Secret;
use russh::keys::{Algorithm, PrivateKey, key::safe_rng, ssh_key::LineEnding};

use crate::ConsoleKeyError;

/// The comment that the console's lines in authorized_keys are recognised by.
const COMMENT: &str = "vmferry";

/// Held while the key is looked for and made: two callers at once would write to one file.
static MAKING: Mutex<()> = Mutex::new(());

/// The public half of the console's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(String);

impl PublicKey {
    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The key as authorized_keys has it: `ssh-ed25519 AAAA… vmferry`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key itself, in base64, which identifies it.
    pub(crate) fn base64(&self) -> &str {
        self.0.split(' ').nth(1).expect("made of an encoded key, which has a kind and then itself")
    }
}

/// The console's key.
#[derive(Clone, Debug)]
pub struct ConsoleKey {
    file: PathBuf,
    passphrase: Option<Secret>,
}

impl ConsoleKey {
    /// The key in this file, which need not exist, encrypted with this passphrase.
    pub fn at(file: PathBuf, passphrase: Option<Secret>) -> Self {
        Self { file, passphrase }
    }

    /// The key's public half; the key is made if there is none. Its encryption is slow on purpose, so this blocks for about a
    /// second.
    ///
    /// # Errors
    /// Without a passphrase, or with one that does not decrypt the key; if the file can't be read or made.
    pub fn open_or_make(&self) -> Result<PublicKey, ConsoleKeyError> {
        let passphrase = self.passphrase.as_ref().ok_or(ConsoleKeyError::NoPassphrase)?;
        {
            let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.file.exists() {
                self.make(passphrase)?;
            }
        }
        let key = fs::read(&self.file).map_err(|error| self.unusable("read", error))?;
        let key = PrivateKey::from_openssh(key).map_err(|error| self.unusable("read", error))?;
        if !key.is_encrypted() {
            return Err(self.unusable("used", "it is not encrypted"));
        }
        let key = key
            .decrypt(passphrase.reveal())
            .map_err(|error| ConsoleKeyError::WrongPassphrase { file: self.file.clone(), reason: error.to_string() })?;
        let public = key.public_key().to_openssh().map_err(|error| self.unusable("read", error))?;
        Ok(PublicKey(public))
    }

    /// Makes the key under another name first: a reader finds a whole key or none, and of two processes that make one the first counts.
    fn make(&self, passphrase: &Secret) -> Result<(), ConsoleKeyError> {
        let failed = |error: russh::keys::ssh_key::Error| self.unusable("made", error);
        let mut key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).map_err(failed)?;
        key.set_comment(COMMENT);
        let key = key.encrypt(&mut safe_rng(), passphrase.reveal()).map_err(failed)?;
        let text = key.to_openssh(LineEnding::LF).map_err(failed)?;
        let new = self.file.with_extension(format!("{}.new", std::process::id()));
        let write = || {
            let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::hard_link(&new, &self.file)
        };
        let written = write();
        let _ = fs::remove_file(&new);
        match written {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(self.unusable("made", error)),
            _ => Ok(()),
        }
    }

    fn unusable(&self, action: &'static str, reason: impl ToString) -> ConsoleKeyError {
        ConsoleKeyError::File { file: self.file.clone(), action, reason: reason.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use model::{Code, Problem};

    use super::*;

    struct Directory(PathBuf);

    impl Directory {
        fn new(test: &str) -> Self {
            let directory = std::env::temp_dir().join(format!("vmferry-console-key-{test}-{}", std::process::id()));
            fs::create_dir(&directory).unwrap();
            Self(directory)
        }

        fn key(&self, passphrase: Option<&str>) -> ConsoleKey {
            let passphrase = passphrase.map(|text| Secret::new(text.to_owned()));
            ConsoleKey::at(self.0.join("console_key"), passphrase)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_key_is_made_once_encrypted_and_readable_for_its_owner_only() {
        let directory = Directory::new("made");
        let key = directory.key(Some("correct horse"));
        let made = key.open_or_make().unwrap();
        let text = fs::read(&key.file).unwrap();
        assert_eq!(key.open_or_make().unwrap(), made);
        assert_eq!(fs::read(&key.file).unwrap(), text);
        assert_eq!(fs::metadata(&key.file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 1, "nothing else is left in the directory");
        let parsed = PrivateKey::from_openssh(&text).unwrap();
        assert!(parsed.is_encrypted() && parsed.algorithm() == Algorithm::Ed25519);
        assert!(made.as_str().starts_with("ssh-ed25519 AAAA") && made.as_str().ends_with(" vmferry"));
        assert_eq!(made.as_str(), format!("ssh-ed25519 {} vmferry", made.base64()));
    }

    #[test]
    fn callers_at_once_get_the_same_key() {
        let directory = Directory::new("at-once");
        let key = directory.key(Some("correct horse"));
        let made: Vec<_> = std::thread::scope(|scope| {
            let making: Vec<_> = (0..4).map(|_| scope.spawn(|| key.open_or_make().unwrap())).collect();
            making.into_iter().map(|made| made.join().unwrap()).collect()
        });
        assert!(made.iter().all(|one| *one == made[0]));
    }

    #[test]
    fn without_the_right_passphrase_there_is_no_key() {
        let directory = Directory::new("refused");
        let refused = directory.key(None).open_or_make().unwrap_err();
        let refused = Problem::from(refused);
        assert_eq!(refused.code, Code::NotSupported);
        assert!(refused.fix.unwrap().contains("key_passphrase_file"));
        assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 0, "nothing was made");
        directory.key(Some("one")).open_or_make().unwrap();
        let refused = directory.key(Some("two")).open_or_make().unwrap_err();
        assert!(matches!(refused, ConsoleKeyError::WrongPassphrase { .. }), "{refused}");
    }

    #[test]
    fn a_key_without_encryption_is_refused() {
        let directory = Directory::new("plain");
        let key = directory.key(Some("one"));
        let plain = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
        fs::write(&key.file, plain.to_openssh(LineEnding::LF).unwrap()).unwrap();
        assert!(matches!(key.open_or_make(), Err(ConsoleKeyError::File { .. })));
        fs::write(&key.file, "no key").unwrap();
        assert!(matches!(key.open_or_make(), Err(ConsoleKeyError::File { .. })));
    }
}
