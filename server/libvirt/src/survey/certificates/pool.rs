//! A storage pool over a directory, for as long as it is looked at.

use virt::{storage_pool::StoragePool, sys};

use crate::{contents, error::LibvirtError, link::Link, xml};

/// What our pool is called. It is the same every time, so that one that a console left behind, because it died just then, is taken over and
/// stopped by the next.
pub(super) const NAME: &str = "vmferry-certificates";

/// More than a certificate with all that it stands on, in bytes.
const FILE: u64 = 64 << 10;

/// ENOENT and ENOTDIR.
const NO_DIRECTORY: [i32; 2] = [2, 20];

/// The files of a directory of the host.
pub(super) struct Pool<'a> {
    link: &'a Link,
    /// None where there is no such directory.
    pool: Option<StoragePool>,
}

impl<'a> Pool<'a> {
    /// Uses the pool that there is, or makes one that is gone when this is dropped. None if there is one that is not started.
    pub(super) fn over(link: &'a Link, directory: &str) -> Result<Option<Self>, LibvirtError> {
        let found = existing(link, directory)?;
        let pool = match found {
            Some(pool) => Some(pool),
            None => match made(link, directory) {
                // Another console was faster.
                Err(error) => match existing(link, directory)? {
                    Some(pool) => Some(pool),
                    None if is_no_directory(&error) => None,
                    None => return Err(error),
                },
                Ok(pool) => Some(pool),
            },
        };
        let pool = Self { link, pool };
        Ok(pool.is_active()?.then_some(pool))
    }

    fn is_active(&self) -> Result<bool, LibvirtError> {
        Ok(match &self.pool {
            Some(pool) => pool.is_active()?,
            None => true,
        })
    }

    /// What there is, by name, as of now.
    pub(super) fn names(&self) -> Result<Vec<String>, LibvirtError> {
        let Some(pool) = &self.pool else { return Ok(Vec::new()) };
        pool.refresh(0)?;
        Ok(pool.list_volumes()?)
    }

    /// What is in a file.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, LibvirtError> {
        let pool = self.pool.as_ref().ok_or_else(|| LibvirtError::unusable("there is no directory"))?;
        contents::beginning(self.link, &pool.lookup_storage_vol_by_name(name)?, FILE)
    }
}

impl Drop for Pool<'_> {
    fn drop(&mut self) {
        let Some(pool) = self.pool.take() else { return };
        match pool.name() {
            Ok(name) if name == NAME => {}
            _ => return,
        }
        if let Err(error) = pool.destroy() {
            tracing::warn!(%error, "the pool {NAME} could not be stopped; the next look at this host's certificates tries again");
        }
    }
}

/// The pool over this directory.
fn existing(link: &Link, directory: &str) -> Result<Option<StoragePool>, LibvirtError> {
    for pool in link.list_all_storage_pools(0)? {
        // None of one that was removed meanwhile.
        let Some(text) = link.known(pool.xml_desc(0).map_err(LibvirtError::from))? else { continue };
        if xml::text(xml::parse(&text)?.root_element(), &["target", "path"]) == Some(directory) {
            return Ok(Some(pool));
        }
    }
    Ok(None)
}

/// Transient: libvirt forgets it when it is stopped. It is not built, so that nothing is made in the directory.
fn made(link: &Link, directory: &str) -> Result<StoragePool, LibvirtError> {
    let xml = format!("<pool type='dir'><name>{NAME}</name><target><path>{directory}</path></target></pool>");
    Ok(link.create_storage_pool_xml(&xml, 0)?)
}

fn is_no_directory(error: &LibvirtError) -> bool {
    error.number == sys::VIR_ERR_SYSTEM_ERROR && NO_DIRECTORY.contains(&error.int1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::testing;

    #[test]
    fn the_pools_of_others_stay_as_they_are() {
        let link = testing::link();
        let xml = "<pool type='dir'><name>theirs</name><target><path>/srv/theirs</path></target></pool>";
        let theirs = link.define_storage_pool_xml(xml, 0).unwrap();
        assert!(Pool::over(&link, "/srv/theirs").unwrap().is_none(), "it is not started");
        theirs.create(0).unwrap();
        drop(Pool::over(&link, "/srv/theirs").unwrap().unwrap());
        assert!(theirs.is_active().unwrap());
        theirs.destroy().unwrap();
        theirs.undefine().unwrap();
    }

    #[test]
    fn only_a_missing_directory_is_one() {
        let error = |number, int1| LibvirtError { number, domain: 18, int1, message: String::new() };
        assert!(is_no_directory(&error(sys::VIR_ERR_SYSTEM_ERROR, 2)));
        assert!(!is_no_directory(&error(sys::VIR_ERR_SYSTEM_ERROR, 13)));
        assert!(!is_no_directory(&error(sys::VIR_ERR_OPERATION_FAILED, 2)));
    }
}
