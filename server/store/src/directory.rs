//! The directory that a console's data is in: locked by the one console that works with it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    process,
    time::{SystemTime, UNIX_EPOCH},
};

/// The file that is locked, beside the directory itself: who removes it would let a second console in. Its content says who has locked
/// it: process id and ms since 1970.
const LOCK: &str = "vmferry.lock";

/// Says that one console, and no other, works with the directory. It ends with the process, however that ends; processes that it starts
/// don't inherit it. Commands that only read or change single records do without.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
    /// None where the file system can't lock directories, as NFS.
    _directory: Option<File>,
}

/// Why a directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Another console works with it.
    #[error("another console works with the directory")]
    InUse(Option<LockHolder>),
    /// It can't be made or written to.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Who has locked a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// The process id.
    pub process: u32,
    /// Since when, in ms since 1970.
    pub since_ms: u64,
}

impl DirectoryLock {
    /// Locks the directory; makes it, for its owner alone, where it is missing.
    ///
    /// # Errors
    /// [`DirectoryError::InUse`]; when the directory can't be made or written to.
    pub fn take(directory: &Path) -> Result<Self, DirectoryError> {
        make(directory)?;
        let path = directory.join(LOCK);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DirectoryError::InUse(holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let itself = File::open(directory)?;
        let itself = match itself.try_lock() {
            Ok(()) => Some(itself),
            Err(TryLockError::WouldBlock) => return Err(DirectoryError::InUse(holder(&mut file))),
            Err(TryLockError::Error(_)) => None,
        };
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        file.set_len(0)?;
        writeln!(file, "{} {}", process::id(), since_1970.as_millis())?;
        Ok(Self { _file: file, _directory: itself })
    }
}

/// Makes a directory for its owner alone, where it is missing.
pub(crate) fn make(directory: &Path) -> io::Result<()> {
    match fs::exists(directory)? {
        true => Ok(()),
        false => DirBuilder::new().recursive(true).mode(0o700).create(directory),
    }
}

/// None in the moment between locking and writing.
fn holder(file: &mut File) -> Option<LockHolder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let (process, since_ms) = text.trim().split_once(' ')?;
    Some(LockHolder { process: process.parse().ok()?, since_ms: since_ms.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_console_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().join("data");
        let lock = DirectoryLock::take(&directory).unwrap();
        let refused = DirectoryLock::take(&directory).unwrap_err();
        let DirectoryError::InUse(Some(LockHolder { process, since_ms })) = refused else { panic!("{refused:?}") };
        assert_eq!(process, process::id());
        assert!(since_ms > 1_700_000_000_000);
        drop(lock);
        // Shorter than what was there.
        fs::write(directory.join(LOCK), "4294967295 99999999999999 and more").unwrap();
        let _lock = DirectoryLock::take(&directory).unwrap();
        let Err(DirectoryError::InUse(Some(holder))) = DirectoryLock::take(&directory) else { panic!("it is taken") };
        assert_eq!(holder.process, process::id());
    }

    #[test]
    fn a_lock_outlives_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let _lock = DirectoryLock::take(directory.path()).unwrap();
        fs::remove_file(directory.path().join(LOCK)).unwrap();
        let refused = DirectoryLock::take(directory.path()).unwrap_err();
        assert!(matches!(refused, DirectoryError::InUse(_)), "{refused:?}");
    }

    #[test]
    fn what_can_not_be_a_directory_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = DirectoryLock::take(&file.path().join("data")).unwrap_err();
        assert!(matches!(refused, DirectoryError::Io(_)), "{refused:?}");
    }
}
