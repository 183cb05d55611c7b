//! Certificates for hosts that have none: two authorities and, for each host, the files that libvirt and QEMU look for.
//!
//! There are two authorities, because each host has two keys, and one of them is weak. Every QEMU process may read QEMU's key, so a
//! guest that breaks out of its QEMU has it. If libvirt's authority had signed it, it would give access to the libvirt daemons of
//! all other hosts, as root. Signed by an authority of its own, it is valid for the data of migrations only.

mod authority;
mod host;
#[cfg(test)]
mod tests;

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use engine::Address;
use time::OffsetDateTime;

pub use authority::{AUTHORITY_VALID, HOST_VALID};
use authority::{Authority, Purpose};
pub use host::CertifiedHost;

/// The folder of the authorities, below the directory given.
pub const AUTHORITIES: &str = "authorities";

/// Why certificates could not be made, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// A file or directory can't be read or written.
    #[error("{} can't be used: {reason}.", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// One half of an authority is there.
    #[error(
        "{} exists and {} does not: restore it from your backup, or name another directory for new authorities.",
        found.display(), missing.display()
    )]
    Incomplete {
        /// The half that is there.
        found: PathBuf,
        /// The half that is not.
        missing: PathBuf,
    },
    /// An authority ends before its certificates would be of any use.
    #[error("The authority {} expires on {until}: name another directory for new ones, and give every host new certificates.", path.display())]
    Ending {
        /// Which.
        path: PathBuf,
        /// Its last day.
        until: time::Date,
    },
}

impl PkiError {
    fn file(path: &Path, reason: impl ToString) -> Self {
        Self::File { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// The directory with the authorities and with what they have made.
pub struct Pki {
    directory: PathBuf,
    /// Signs certificates for libvirt's daemons and clients.
    libvirt: Authority,
    /// Signs QEMU's certificates, for the data of migrations.
    qemu: Authority,
    now: OffsetDateTime,
}

impl Pki {
    /// Opens the authorities in a directory. Makes the directory and the authorities if they do not exist; existing ones are never
    /// written to.
    ///
    /// # Errors
    /// If one can't be read or made, lacks its certificate or its key, or expires within [`authority::SPARE`].
    pub fn open(directory: &Path, now: OffsetDateTime) -> Result<Self, PkiError> {
        let authorities = directory.join(AUTHORITIES);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&authorities)
            .map_err(|error| PkiError::file(&authorities, error))?;
        Ok(Self {
            directory: directory.to_owned(),
            libvirt: Authority::open(&authorities, "libvirt", now)?,
            qemu: Authority::open(&authorities, "qemu", now)?,
            now,
        })
    }

    /// Makes a host's certificates and keys, as a tree to be copied over its `/`, in place of those made before. Returns where.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn certify(&self, host: &CertifiedHost) -> Result<PathBuf, PkiError> {
        self.replace(&Path::new("hosts").join(host.name.as_str()), |tree| self.write_host(tree, host))
    }

    /// Makes the certificate and key that a console shows to hosts of transport TLS. Returns where.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn certify_console(&self) -> Result<PathBuf, PkiError> {
        let addresses = [Address::Name("vmferry".to_owned())];
        self.replace(Path::new("console"), |tree| {
            let signed = self.libvirt.sign(&addresses, Purpose::Client, self.now)?;
            write(&tree.join("cacert.pem"), self.libvirt.certificate(), 0o644)?;
            write(&tree.join("clientcert.pem"), &signed.certificate, 0o644)?;
            write(&tree.join("clientkey.pem"), &signed.key, 0o600)
        })
    }

    /// The last day of the certificates made now.
    pub fn valid_until(&self) -> time::Date {
        self.libvirt.ends(self.now).min(self.qemu.ends(self.now)).date()
    }

    /// The files that libvirt (`virnettlsconfig.h`) and QEMU (`qemu.conf`, `default_tls_x509_cert_dir`) read.
    fn write_host(&self, tree: &Path, host: &CertifiedHost) -> Result<(), PkiError> {
        let pki = tree.join("etc/pki");
        let (authority, libvirt, qemu) = (pki.join("CA"), pki.join("libvirt"), pki.join("qemu"));
        let private = libvirt.join("private");
        for directory in [&tree.join("etc"), &pki, &authority, &libvirt, &private, &qemu] {
            make_directory(directory)?;
        }
        write(&authority.join("cacert.pem"), self.libvirt.certificate(), 0o644)?;
        write(&qemu.join("ca-cert.pem"), self.qemu.certificate(), 0o644)?;
        for (purpose, word) in [(Purpose::Server, "server"), (Purpose::Client, "client")] {
            let signed = self.libvirt.sign(&host.addresses, purpose, self.now)?;
            write(&libvirt.join(format!("{word}cert.pem")), &signed.certificate, 0o644)?;
            write(&private.join(format!("{word}key.pem")), &signed.key, 0o600)?;
            let signed = self.qemu.sign(&host.addresses, purpose, self.now)?;
            write(&qemu.join(format!("{word}-cert.pem")), &signed.certificate, 0o644)?;
            // On the host it is given to QEMU's group.
            write(&qemu.join(format!("{word}-key.pem")), &signed.key, 0o640)?;
        }
        Ok(())
    }

    /// Fills a new directory and replaces the old one with it, so that a certificate is never beside another's key.
    fn replace(&self, path: &Path, fill: impl FnOnce(&Path) -> Result<(), PkiError>) -> Result<PathBuf, PkiError> {
        let path = self.directory.join(path);
        let new = path.with_extension("new");
        remove(&new)?;
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).map_err(|error| PkiError::file(above, error))?;
        }
        make_directory(&new)?;
        fill(&new)?;
        remove(&path)?;
        fs::rename(&new, &path).map_err(|error| PkiError::file(&path, error))?;
        Ok(path)
    }
}

fn remove(directory: &Path) -> Result<(), PkiError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(PkiError::file(directory, error)),
        _ => Ok(()),
    }
}

/// Makes a directory that is not there yet and that all may enter; the keys in it have modes of their own.
fn make_directory(path: &Path) -> Result<(), PkiError> {
    fs::create_dir(path)
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755)))
        .map_err(|error| PkiError::file(path, error))
}

/// Writes a file that is not there yet, with exactly this mode.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), PkiError> {
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.set_permissions(fs::Permissions::from_mode(mode))?;
            file.sync_all()
        })
        .map_err(|error| PkiError::file(path, error))
}
