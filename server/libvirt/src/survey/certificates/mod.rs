//! The certificates that a host's QEMU would encrypt migrations with.
//!
//! libvirt has no call for that, so they are read through a storage pool over their directory, which is stopped again at once and
//! never written to. Only certificates are read; of the keys, only that they exist.
//!
//! If `migrate_tls_x509_cert_dir` or `default_tls_x509_cert_dir` in qemu.conf names another directory, libvirt does not
//! report it, and this reads the default one. At worst a migration is not encrypted though it could be, or QEMU refuses
//! one that is to be encrypted, and the VM stays on the source.

pub(crate) mod handshake;
mod judge;
pub(crate) mod shown;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use engine::Certificates;

use self::judge::judge;
use super::directory::Directory;
use crate::{connection::Connection, error::LibvirtError};

/// QEMU's default directory (`SYSCONFDIR/pki/qemu`).
const DIRECTORY: &str = "/etc/pki/qemu";

/// The files that QEMU needs there (docs/system/tls.rst), to send and to receive VMs.
const AUTHORITY: &str = "ca-cert.pem";
const SERVER: &str = "server-cert.pem";
const CLIENT: &str = "client-cert.pem";
const KEYS: [&str; 2] = ["server-key.pem", "client-key.pem"];

/// How many attempts are made: another console that reads at the same time may stop its pool while this one uses it, or may be faster
/// at making one.
const ATTEMPTS: usize = 8;

/// How long an answer is reused: making a pool for each survey would be too expensive.
const REUSED_FOR: Duration = Duration::from_secs(60);

/// A host's last answer.
#[derive(Default)]
pub(crate) struct CertificateCache(Mutex<Option<(Instant, Certificates)>>);

impl CertificateCache {
    /// The host's certificates; none if they are not known.
    pub(crate) fn certificates(&self, connection: &Connection) -> Result<Option<Certificates>, LibvirtError> {
        self.certificates_since(connection, REUSED_FOR)
    }

    /// The same; an answer that is as old as that is given again.
    pub(crate) fn certificates_since(
        &self,
        connection: &Connection,
        reused_for: Duration,
    ) -> Result<Option<Certificates>, LibvirtError> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answer)) = last.as_ref().filter(|(at, _)| at.elapsed() < reused_for) {
            return Ok(Some(answer.clone()));
        }
        for _ in 0..ATTEMPTS {
            if let Some(answer) = connection.known(read(connection))? {
                *last = answer.clone().map(|answer| (Instant::now(), answer));
                return Ok(answer);
            }
        }
        Ok(None)
    }
}

/// Reads the certificates. None if there is a pool over the directory that is not active: only its owner may start it.
fn read(connection: &Connection) -> Result<Option<Certificates>, LibvirtError> {
    let Some(pool) = Directory::over(connection, DIRECTORY)? else { return Ok(None) };
    let files = pool.names()?;
    let wanted = [AUTHORITY, SERVER, CLIENT].into_iter().chain(KEYS);
    let missing: Vec<_> = wanted.filter(|name| !files.iter().any(|file| file == name)).collect();
    if !missing.is_empty() {
        return Ok(Some(Certificates::Missing(
            missing.into_iter().map(|name| format!("{DIRECTORY}/{name}")).collect(),
        )));
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(Some(judge(&pool.read(AUTHORITY)?, &pool.read(SERVER)?, &pool.read(CLIENT)?, now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing;

    /// The `test` driver has pools without a directory behind them, so there are no files.
    #[test]
    fn a_directory_without_the_files_is_reported_and_remembered() {
        let connection = testing::connection();
        let last = CertificateCache::default();
        let found = last.certificates(&connection).unwrap();
        let Some(Certificates::Missing(files)) = &found else { panic!("{found:?}") };
        assert_eq!(files.len(), 5);
        assert_eq!(files[0], "/etc/pki/qemu/ca-cert.pem");
        assert!(
            crate::survey::directory::existing(&connection, DIRECTORY).unwrap().is_none(),
            "the pool is gone again"
        );
        assert!(last.0.lock().unwrap().is_some());
    }
}
