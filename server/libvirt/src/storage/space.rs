//! Free space for what is written into a pool. libvirt's daemon hangs or dies when an upload runs out of space (seen with 11.3, with
//! every client), so nothing is sent that would not fit.

use virt::{storage_pool::StoragePool, sys};

use crate::error::LibvirtError;

/// What is kept free, in bytes: for the file system itself, and for what other programs write meanwhile.
const RESERVE: u64 = 4 << 20;

/// How much is written at most before the free space is read again, in bytes. As it gets less, it is read more often: what other
/// programs write meanwhile then matters.
const GRANT: u64 = 64 << 20;

/// The part of the free space that is written before it is read again.
const PART: u64 = 8;

/// The system's number for "No space left on device".
const ENOSPC: i32 = 28;

/// The free space in a pool of files.
pub(crate) struct Space<'a> {
    pool: &'a StoragePool,
    granted: u64,
}

impl<'a> Space<'a> {
    pub(crate) fn new(pool: &'a StoragePool) -> Self {
        Self { pool, granted: 0 }
    }

    /// Takes this number of bytes.
    ///
    /// # Errors
    /// `ENOSPC` if they are not free.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), LibvirtError> {
        if self.granted < bytes {
            // Fails while a volume is being made in the pool: then libvirt's last figure is used.
            let _ = self.pool.refresh(0);
            self.granted = grant(self.pool.info()?.available, bytes).ok_or_else(no_space)?;
        }
        self.granted -= bytes;
        Ok(())
    }
}

/// How much of the available space may be written before it is read again; none if less than `wanted` is usable.
fn grant(available: u64, wanted: u64) -> Option<u64> {
    let usable = available.saturating_sub(RESERVE);
    (usable >= wanted).then_some((usable / PART).min(GRANT).max(wanted))
}

fn no_space() -> LibvirtError {
    LibvirtError {
        number: sys::VIR_ERR_SYSTEM_ERROR,
        domain: sys::VIR_FROM_STORAGE,
        int1: ENOSPC,
        message: "No space left on device".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_granted_than_there_is() {
        assert_eq!(grant(0, 1), None);
        assert_eq!(grant(RESERVE, 1), None);
        assert_eq!(grant(RESERVE + 10, 11), None);
        assert_eq!(grant(RESERVE + 10, 10), Some(10));
        assert_eq!(grant(RESERVE + PART * GRANT, 1), Some(GRANT));
        assert_eq!(grant(u64::MAX, 1), Some(GRANT));
        assert_eq!(grant(RESERVE + GRANT, 1), Some(GRANT / PART));
        assert_eq!(grant(RESERVE + PART * GRANT, GRANT + 1), Some(GRANT + 1));
    }
}
