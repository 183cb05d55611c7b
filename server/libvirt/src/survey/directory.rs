//! A directory of the host, seen through a temporary storage pool: libvirt has no other call to look at files.

use std::time::{Duration, SystemTime};

use uuid::Uuid;
use virt::{storage_pool::StoragePool, sys};

use crate::{
    connection::Connection,
    error::LibvirtError,
    storage::{
        contents,
        own_pools::{NAME, OLD_NAME},
    },
    xml::{self, splice::escaped},
};

/// A pool of ours that is older was left behind by a console that died while it used it.
pub(crate) const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// How much of a file is read, in bytes: more than a certificate with its chain.
const FILE: u64 = 64 << 10;

/// ENOENT and ENOTDIR.
const NO_DIRECTORY: [i32; 2] = [2, 20];

/// The files of a directory of the host.
pub(super) struct Directory<'a> {
    connection: &'a Connection,
    /// None if there is no such directory.
    pool: Option<StoragePool>,
    origin: Origin,
}

/// Where the pool over a directory is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Made just now: libvirt has looked at all of its files. Dropping it stops the pool.
    Made,
    /// Left behind by a console that died. Dropping it stops the pool.
    LeftBehind,
    /// Somebody else's, who uses it.
    Others,
}

impl<'a> Directory<'a> {
    /// Uses the existing pool, or makes one that is stopped when this is dropped. None if the existing one is not active.
    pub(super) fn over(connection: &'a Connection, directory: &str) -> Result<Option<Self>, LibvirtError> {
        let (pool, origin) = match existing(connection, directory)? {
            Some(pool) => {
                let is_left_behind = is_left_behind(&pool.name()?, now());
                (Some(pool), if is_left_behind { Origin::LeftBehind } else { Origin::Others })
            }
            None => match made(connection, directory, now()) {
                Ok(pool) => (Some(pool), Origin::Made),
                Err(error) if is_no_directory(&error) => (None, Origin::Others),
                Err(error) => return Err(error),
            },
        };
        let directory = Self { connection, pool, origin };
        Ok(directory.is_active()?.then_some(directory))
    }

    /// What is in the directory. None if there is a pool over it that is not active.
    pub(super) fn contents(connection: &'a Connection, directory: &str) -> Result<Option<Contents>, LibvirtError> {
        let Some(found) = Self::over(connection, directory)? else { return Ok(None) };
        Ok(Some(match found.pool {
            Some(_) => Contents::Files(found.names()?),
            None => Contents::NoDirectory,
        }))
    }

    fn is_active(&self) -> Result<bool, LibvirtError> {
        Ok(match &self.pool {
            Some(pool) => pool.is_active()?,
            None => true,
        })
    }

    /// The names of the files as they are now: a pool that was not made just now is refreshed. Either way libvirt opens each file once.
    pub(super) fn names(&self) -> Result<Vec<String>, LibvirtError> {
        let Some(pool) = &self.pool else { return Ok(Vec::new()) };
        if self.origin != Origin::Made {
            pool.refresh(0)?;
        }
        Ok(pool.list_volumes()?)
    }

    /// The contents of a file.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, LibvirtError> {
        let pool = self.pool.as_ref().ok_or_else(|| LibvirtError::unusable("there is no directory"))?;
        contents::part(self.connection, &pool.lookup_storage_vol_by_name(name)?, 0, FILE)
    }
}

impl Drop for Directory<'_> {
    fn drop(&mut self) {
        let Some(pool) = self.pool.take().filter(|_| self.origin != Origin::Others) else { return };
        if let Err(error) = pool.destroy() {
            tracing::warn!(%error, "a pool {NAME}… could not be stopped; the next survey of this host tries again");
        }
    }
}

/// What is in a directory.
#[derive(Debug)]
pub(super) enum Contents {
    /// There is no such directory.
    NoDirectory,
    /// Files and directories of these names, and more that are neither.
    Files(Vec<String>),
}

impl Contents {
    /// Whether the directory exists.
    pub(super) fn exists(&self) -> bool {
        matches!(self, Self::Files(_))
    }

    /// Whether it has a file of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        matches!(self, Self::Files(names) if names.iter().any(|known| known == name))
    }
}

/// Stops the pools that consoles left behind when they died.
pub(crate) fn stop_left_behind(connection: &Connection) -> Result<(), LibvirtError> {
    for pool in connection.list_all_storage_pools(sys::VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)? {
        let name = pool.name()?;
        if is_left_behind(&name, now()) {
            tracing::info!(pool = name, "stopping a pool that a console left behind");
            // Another console may have been faster.
            connection.known(pool.destroy().map_err(LibvirtError::from))?;
        }
    }
    Ok(())
}

/// The pool over this directory.
pub(super) fn existing(connection: &Connection, directory: &str) -> Result<Option<StoragePool>, LibvirtError> {
    for pool in connection.list_all_storage_pools(0)? {
        // Skips a pool that was removed meanwhile.
        let Some(text) = connection.known(pool.xml_desc(0).map_err(LibvirtError::from))? else { continue };
        if xml::text(xml::parse(&text)?.root_element(), &["target", "path"]) == Some(directory) {
            return Ok(Some(pool));
        }
    }
    Ok(None)
}

/// Makes a transient pool, which libvirt forgets when it is stopped. It is not built, so that nothing is created in the directory.
///
/// libvirt refuses a second pool over the directory, so that one of two consoles has to try again.
fn made(connection: &Connection, directory: &str, now: Duration) -> Result<StoragePool, LibvirtError> {
    let name = format!("{NAME}{}-{}", now.as_secs(), Uuid::now_v7().simple());
    let path = escaped(directory);
    let xml = format!("<pool type='dir'><name>{name}</name><target><path>{path}</path></target></pool>");
    Ok(connection.create_storage_pool_xml(&xml, 0)?)
}

/// The time since 1970.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn is_left_behind(name: &str, now: Duration) -> bool {
    let rest = name.strip_prefix(NAME).or_else(|| name.strip_prefix(OLD_NAME));
    let seconds = rest.and_then(|rest| rest.split('-').next()?.parse().ok());
    let made_at = seconds.map(Duration::from_secs);
    made_at.is_some_and(|made_at| now.saturating_sub(made_at) >= LEFT_BEHIND)
}

fn is_no_directory(error: &LibvirtError) -> bool {
    error.number == sys::VIR_ERR_SYSTEM_ERROR && NO_DIRECTORY.contains(&error.int1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing;

    #[test]
    fn the_pools_of_others_stay_as_they_are() {
        let connection = testing::connection();
        let xml = "<pool type='dir'><name>other</name><target><path>/srv/other</path></target></pool>";
        let other = connection.define_storage_pool_xml(xml, 0).unwrap();
        assert!(Directory::over(&connection, "/srv/other").unwrap().is_none(), "it is not started");
        other.create(0).unwrap();
        drop(Directory::over(&connection, "/srv/other").unwrap().unwrap());
        assert!(other.is_active().unwrap());
        assert_eq!(Directory::over(&connection, "/srv/other").unwrap().unwrap().origin, Origin::Others);
        let fresh = Directory::over(&connection, "/srv/fresh").unwrap().unwrap();
        assert_eq!(fresh.origin, Origin::Made, "it is not refreshed once more");
        other.destroy().unwrap();
        other.undefine().unwrap();
    }

    #[test]
    fn only_old_pools_of_ours_were_left_behind() {
        let now = Duration::from_secs(1_000_000);
        assert!(is_left_behind("vmferry-certificates-999940", now));
        assert!(!is_left_behind("vmferry-certificates-999941", now), "another console may be using it");
        assert!(!is_left_behind("vmferry-certificates-1000005", now), "another console's clock");
        assert!(is_left_behind("vmferry-directory-999940-0123456789abcdef", now));
        assert!(!is_left_behind("vmferry-directory-999941-0123456789abcdef", now));
        assert!(!is_left_behind("vmferry-certificates", now) && !is_left_behind("images", now));
    }

    #[test]
    fn what_a_dead_console_left_behind_is_stopped_by_the_next() {
        let (connection, directory) = (testing::connection(), "/srv/left-behind");
        let made_at = Duration::from_secs(1_000_000);
        let left = made(&connection, directory, made_at).unwrap();
        let name = left.name().unwrap();
        assert!(!is_left_behind(&name, made_at) && is_left_behind(&name, made_at + LEFT_BEHIND));
        drop(Directory::over(&connection, directory).unwrap().unwrap());
        assert!(existing(&connection, directory).unwrap().is_none());
    }

    #[test]
    fn what_a_dead_console_left_behind_is_stopped_by_any_that_connects() {
        let (connection, directory) = (testing::connection(), "/srv/left-behind-for-any");
        made(&connection, directory, Duration::from_secs(1_000_001)).unwrap();
        // No other test makes one in this second.
        let fresh = made(&connection, "/srv/in-use", now() + Duration::from_hours(2)).unwrap();
        stop_left_behind(&connection).unwrap();
        assert!(existing(&connection, directory).unwrap().is_none());
        assert!(fresh.is_active().unwrap(), "another console reads");
        fresh.destroy().unwrap();
    }

    #[test]
    fn a_second_console_uses_the_pool_of_the_first_and_leaves_it() {
        let (connection, directory) = (testing::connection(), "/srv/two-consoles");
        // No other test makes one in this second.
        let at = now() + Duration::from_hours(1);
        let first = made(&connection, directory, at).unwrap();
        for at in [at, at + Duration::from_secs(1)] {
            assert!(made(&connection, directory, at).is_err(), "there are never two over one directory");
        }
        drop(Directory::over(&connection, directory).unwrap().unwrap());
        assert!(first.is_active().unwrap());
        first.destroy().unwrap();
    }

    #[test]
    fn only_a_missing_directory_counts_as_missing() {
        let error = |number, int1| LibvirtError { number, domain: 18, int1, message: String::new() };
        assert!(is_no_directory(&error(sys::VIR_ERR_SYSTEM_ERROR, 2)));
        assert!(!is_no_directory(&error(sys::VIR_ERR_SYSTEM_ERROR, 13)));
        assert!(!is_no_directory(&error(sys::VIR_ERR_OPERATION_FAILED, 2)));
    }
}
