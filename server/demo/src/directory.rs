//! The one directory that holds all of a demo's state: claimed at the start, removed at the end.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::process::geteuid;

use crate::{DemoError, leftovers, user::Unprivileged};

/// Locked for as long as the demo runs. A directory that has this file is a demo's, and may be emptied.
const LOCK: &str = "demo.lock";
/// The longest name of a Unix socket, in bytes: `sun_path` of unix(7) without the zero byte at its end.
const SOCKET_NAME: usize = 107;
/// The longest of the names that libvirt gives its sockets, below our directory.
const LONGEST_SOCKET: &str = "/alpha/config/libvirt/qemu/lib/domain-99999-cache/monitor.sock";

/// A directory that is ours.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    keep: bool,
    released: bool,
    lock: File,
}

impl Directory {
    /// Takes the directory, makes it if need be, and ends and removes what a killed demo left there.
    pub(crate) async fn claim(
        wanted: Option<PathBuf>,
        user: Option<Unprivileged>,
        keep: bool,
    ) -> Result<Self, DemoError> {
        let path = wanted.unwrap_or_else(|| env::temp_dir().join(format!("vmferry-demo-{}", geteuid().as_raw())));
        let path = resolve(path)?;
        check_name(&path)?;
        if user.is_some() {
            check_reachable(&path)?;
        }
        let lock = loop {
            make(&path)?;
            if let Some(lock) = lock(&path)? {
                break lock;
            }
        };
        let directory = Self { path, keep, released: false, lock };
        directory.open_for(user)?;
        leftovers::end_all(&directory.path).await?;
        empty(&directory.path)?;
        Ok(directory)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether another demo may have claimed it by now.
    pub(crate) fn is_released(&self) -> bool {
        self.released
    }

    /// Gives it up: removes it, unless it is to be kept.
    pub(crate) fn release(&mut self) -> Result<(), DemoError> {
        if self.released {
            return Ok(());
        }
        self.released = true;
        if self.keep {
            return Ok(());
        }
        fs::remove_dir_all(&self.path).map_err(DemoError::io("remove", &self.path))
    }

    /// If root starts the demo, the daemons run as another user, who has to pass through. The contents stay closed to other users.
    fn open_for(&self, user: Option<Unprivileged>) -> Result<(), DemoError> {
        let mode = if user.is_some() { 0o711 } else { 0o700 };
        fs::set_permissions(&self.path, Permissions::from_mode(mode)).map_err(DemoError::io("change", &self.path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = self.release() {
            tracing::warn!(%error, "the demo's directory stays");
        }
        // Closing the file would not unlock it: a process that is being started has it open, too, until it runs its program.
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the demo's directory stays locked");
        }
    }
}

/// The path without symbolic links and dots. Only its last part may not be there yet.
fn resolve(path: PathBuf) -> Result<PathBuf, DemoError> {
    let path = std::path::absolute(&path).map_err(DemoError::io("find", path))?;
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok(fs::canonicalize(parent).map_err(DemoError::io("find", parent))?.join(name)),
        _ => Err(DemoError::DirectoryNotOurs { dir: path }),
    }
}

/// The name goes into configuration files, XML and the names of sockets, so it has to be plain and short.
fn check_name(path: &Path) -> Result<(), DemoError> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    let name = path.as_os_str().as_encoded_bytes();
    if !name.iter().all(plain) {
        return Err(DemoError::DirectoryName { dir: path.into() });
    }
    let limit = SOCKET_NAME - LONGEST_SOCKET.len();
    if name.len() > limit {
        return Err(DemoError::DirectoryTooLong { dir: path.into(), limit });
    }
    Ok(())
}

/// Makes the directory if it is not there. One that is there has to be ours, and a demo's or empty.
fn make(path: &Path) -> Result<(), DemoError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_ours(path) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(DemoError::DirectoryNotOurs { dir: path.into() })
        }
        outcome => outcome.map_err(DemoError::io("make", path)),
    }
}

fn is_ours(path: &Path) -> bool {
    let own = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == geteuid().as_raw());
    let empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    own && (path.join(LOCK).is_file() || empty())
}

/// Locks the directory. `None` if the demo that had it removed it just now.
fn lock(path: &Path) -> Result<Option<File>, DemoError> {
    let name = path.join(LOCK);
    let file = match OpenOptions::new().create(true).truncate(false).write(true).open(&name) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DemoError::io("write", name)(error)),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(DemoError::DirectoryInUse { dir: path.into() });
        }
        Err(TryLockError::Error(error)) => return Err(DemoError::io("lock", name)(error)),
    }
    let locked = file.metadata().map_err(DemoError::io("read", &name))?;
    let same = fs::metadata(&name).is_ok_and(|now| (now.dev(), now.ino()) == (locked.dev(), locked.ino()));
    Ok(same.then_some(file))
}

/// The daemons' user has to get to the directory through all that are above it.
fn check_reachable(path: &Path) -> Result<(), DemoError> {
    let open = |path: &&Path| fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o001 != 0);
    match path.ancestors().skip(1).find(|path| !open(path)) {
        None => Ok(()),
        Some(closed) => Err(DemoError::DirectoryClosed { dir: path.into(), closed: closed.into() }),
    }
}

/// Removes everything in the directory but the lock.
fn empty(path: &Path) -> Result<(), DemoError> {
    let entries = fs::read_dir(path).map_err(DemoError::io("read", path))?;
    for entry in entries {
        let entry = entry.map_err(DemoError::io("read", path))?;
        if entry.file_name() == LOCK {
            continue;
        }
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if is_directory { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
        removed.map_err(DemoError::io("remove", entry.path()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory to make demo directories in, removed at the end. Its path is short, because names are limited.
    struct Parent(PathBuf);

    impl Parent {
        fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("{name}-{}", std::process::id()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Parent {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    async fn claim(path: &Path, keep: bool) -> Result<Directory, DemoError> {
        Directory::claim(Some(path.into()), None, keep).await
    }

    #[tokio::test]
    async fn a_directory_is_made_locked_and_removed() {
        let parent = Parent::new("vmf1");
        let path = parent.0.join("demo");
        let directory = claim(&path, false).await.unwrap();
        assert!(matches!(claim(&path, false).await, Err(DemoError::DirectoryInUse { .. })));
        drop(directory);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_kept_directory_stays_and_the_next_demo_empties_it() {
        let parent = Parent::new("vmf2");
        let path = parent.0.join("demo");
        let mut directory = claim(&path, true).await.unwrap();
        fs::create_dir(path.join("alpha")).unwrap();
        fs::write(path.join("alpha/log"), "words").unwrap();
        directory.release().unwrap();
        drop(directory);
        assert!(path.join("alpha/log").exists());
        let _again = claim(&path, false).await.unwrap();
        assert!(!path.join("alpha").exists());
    }

    #[tokio::test]
    async fn a_process_that_is_being_started_does_not_keep_it_locked() {
        let parent = Parent::new("vmf4");
        let path = parent.0.join("demo");
        let directory = claim(&path, true).await.unwrap();
        let _inherited = directory.lock.try_clone().unwrap();
        drop(directory);
        assert!(claim(&path, false).await.is_ok());
    }

    #[tokio::test]
    async fn a_directory_that_is_not_a_demo_s_is_not_touched() {
        let parent = Parent::new("vmf3");
        fs::write(parent.0.join("letter"), "dear").unwrap();
        assert!(matches!(claim(&parent.0, false).await, Err(DemoError::DirectoryNotOurs { .. })));
        assert!(matches!(claim(&parent.0.join("letter"), false).await, Err(DemoError::DirectoryNotOurs { .. })));
        let link = parent.0.join("link");
        std::os::unix::fs::symlink("/", &link).unwrap();
        assert!(matches!(claim(&link, false).await, Err(DemoError::DirectoryNotOurs { .. })));
        assert!(matches!(claim(Path::new("/"), false).await, Err(DemoError::DirectoryNotOurs { .. })));
        assert!(parent.0.join("letter").exists());
    }

    #[test]
    fn names_are_plain_and_leave_room_for_sockets() {
        assert!(check_name(Path::new("/tmp/vmferry-demo-1000")).is_ok());
        for name in ["/tmp/it's", "/tmp/a b", "/tmp/<x>", "/tmp/a\"b", "/tmp/\u{e4}"] {
            assert!(matches!(check_name(Path::new(name)), Err(DemoError::DirectoryName { .. })), "{name}");
        }
        let longest = format!("/{}", "x".repeat(SOCKET_NAME - LONGEST_SOCKET.len() - 1));
        assert!(check_name(Path::new(&longest)).is_ok());
        let longer = longest + "x";
        assert!(matches!(check_name(Path::new(&longer)), Err(DemoError::DirectoryTooLong { .. })));
    }
}
