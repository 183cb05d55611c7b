//! The data directory: locked by the console that works with it, and why its contents can't be used.

use std::{io, path::Path};

use model::Problem;
use store::{DirectoryError, DirectoryLock, LockHolder, StoreError};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Failure, told};

/// Locks the directory for this console.
pub(super) fn lock(directory: &Path) -> Result<DirectoryLock, Failure> {
    DirectoryLock::take(directory).map_err(|error| not_locked(directory, error).into())
}

/// Locks the directory for a command whose version is newer than the database there.
pub(super) fn lock_to_upgrade(directory: &Path) -> Result<DirectoryLock, Failure> {
    DirectoryLock::take(directory).map_err(|error| match error {
        DirectoryError::InUse(_) => format!(
            "The database in {} is of an earlier version, and a console works with it. Restart that console with this version first: \
             it upgrades the database.",
            directory.display()
        )
        .into(),
        other => not_locked(directory, other).into(),
    })
}

fn not_locked(directory: &Path, error: DirectoryError) -> String {
    let place = directory.display();
    match error {
        DirectoryError::InUse(holder) => {
            let holder = holder.map_or_else(String::new, |holder| format!(": {}", shown(holder)));
            format!(
                "Another console works with the directory {place}{holder}. Stop that one first, or give this one a data_dir of its own."
            )
        }
        DirectoryError::Io(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => format!(
            "The directory {place} is on a file system that can only be read, and vmferry keeps its database there. Mount it for \
             writing, or name another data_dir."
        ),
        DirectoryError::Io(error) => format!(
            "The directory {place} can't be used: {error}. data_dir has to be a directory that vmferry's account may write to."
        ),
    }
}

fn shown(LockHolder { process, since_ms }: LockHolder) -> String {
    let since = OffsetDateTime::from_unix_timestamp(i64::try_from(since_ms / 1_000).unwrap_or_default());
    match since.ok().and_then(|since| since.format(&Rfc3339).ok()) {
        Some(since) => format!("process {process}, since {since}"),
        None => format!("process {process}"),
    }
}

/// Why the database in the directory can't be opened, with its own words.
pub(super) fn not_opened(directory: &Path, error: StoreError) -> Failure {
    let details = format!("({}: {error})", directory.display());
    told(Problem::from(engine::Error::from(error)).with_details(details))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_that_works_with_the_database_keeps_a_command_from_upgrading_it() {
        let directory = std::env::temp_dir().join(format!("vmferry-lock-{}", std::process::id()));
        let console = lock(&directory).unwrap();
        let told = lock_to_upgrade(&directory).unwrap_err().to_string();
        assert!(told.contains("Restart that console"), "{told}");
        drop(console);
        lock_to_upgrade(&directory).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_refusal_says_who_and_since_when() {
        let holder = LockHolder { process: 4711, since_ms: 1_700_000_000_123 };
        let told = not_locked(Path::new("/data"), DirectoryError::InUse(Some(holder)));
        assert!(told.contains("/data: process 4711, since 2023-11-14T22:13:20Z."), "{told}");
        let told = not_locked(Path::new("/data"), DirectoryError::Io(io::ErrorKind::ReadOnlyFilesystem.into()));
        assert!(told.contains("can only be read"), "{told}");
    }
}
