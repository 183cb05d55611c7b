//! What a host has to encrypt migrations with: the files that its QEMU would use.
//!
//! libvirt has no question for that, so they are looked at through a storage pool over their directory, which is stopped again at once
//! and never written to. Only certificates are read. Of the keys nothing is, but that they are there.
//!
//! Where `migrate_tls_x509_cert_dir` or `default_tls_x509_cert_dir` in qemu.conf names another directory, libvirt tells nobody. Then this
//! says of the usual one what it finds there, so that at worst a migration is not encrypted though it could be, or QEMU refuses one
//! that asks for it. That leaves the VM where it is.

mod judge;
mod pool;

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use engine::Certificates;

use self::{judge::judge, pool::Pool};
use crate::{connection::Connection, error::LibvirtError};

/// Where QEMU looks by default (`SYSCONFDIR/pki/qemu`).
const DIRECTORY: &str = "/etc/pki/qemu";

/// The files that QEMU wants there (docs/system/tls.rst), to send and to take VMs in.
const AUTHORITY: &str = "ca-cert.pem";
const SERVER: &str = "server-cert.pem";
const CLIENT: &str = "client-cert.pem";
const KEYS: [&str; 2] = ["server-key.pem", "client-key.pem"];

/// How often to look before it can't be told: another console that looks at the same time stops its pool while we use it, or is
/// faster at making one.
const LOOKS: usize = 8;

/// How long an answer is good for: making a pool is more than a question should cost each time.
const GOOD_FOR: Duration = Duration::from_secs(60);

/// The last answer of a host.
#[derive(Default)]
pub(crate) struct LastLook(Mutex<Option<(Instant, Certificates)>>);

impl LastLook {
    /// What the host has; none if that can't be told.
    pub(crate) fn certificates(&self, connection: &Connection) -> Result<Option<Certificates>, LibvirtError> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, answer)) = last.as_ref().filter(|(at, _)| at.elapsed() < GOOD_FOR) {
            return Ok(Some(answer.clone()));
        }
        for _ in 0..LOOKS {
            if let Some(answer) = connection.known(look(connection))? {
                *last = answer.clone().map(|answer| (Instant::now(), answer));
                return Ok(answer);
            }
        }
        Ok(None)
    }
}

/// None if there is a pool over the directory that is not started: it is not ours to start.
fn look(connection: &Connection) -> Result<Option<Certificates>, LibvirtError> {
    let Some(pool) = Pool::over(connection, DIRECTORY)? else { return Ok(None) };
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
    fn a_directory_without_the_files_is_told_and_remembered() {
        let connection = testing::connection();
        let last = LastLook::default();
        let told = last.certificates(&connection).unwrap();
        let Some(Certificates::Missing(files)) = &told else { panic!("{told:?}") };
        assert_eq!(files.len(), 5);
        assert_eq!(files[0], "/etc/pki/qemu/ca-cert.pem");
        assert!(pool::existing(&connection, DIRECTORY).unwrap().is_none(), "the pool is gone again");
        assert!(last.0.lock().unwrap().is_some());
    }
}
