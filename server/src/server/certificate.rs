//! The console's certificate: the admin's, or a self-signed one that the console makes. A renewed one is used without a restart.

mod own;
#[cfg(test)]
mod tests;

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum_server::tls_rustls::RustlsConfig;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// How often to look whether the files have changed.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Why the console has no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file can't be read or written.
    #[error("{path} can't be used: {reason}. It has to be a file in PEM format.")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate and key can't be used.
    #[error("The certificate {path} can't be used: {reason}.")]
    Refused {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl CertificateError {
    fn refused(path: &Path, reason: impl ToString) -> Self {
        Self::Refused { path: path.to_owned(), reason: reason.to_string() }
    }

    fn file(path: &Path, reason: impl ToString) -> Self {
        Self::File { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// The certificate that the console shows.
#[derive(Debug)]
pub struct Certificate {
    files: Files,
    tls: RustlsConfig,
    seen: Seen,
    names: watch::Sender<Vec<String>>,
}

/// The file with the certificate that the console makes itself.
pub fn own_certificate(directory: &Path) -> PathBuf {
    directory.join("certificate.pem")
}

/// Where it is, in PEM.
#[derive(Clone, Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    /// The address to be in it, if the console makes it itself.
    own: Option<IpAddr>,
}

/// What was in the files.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    key: [u8; 32],
}

impl Certificate {
    /// Reads a certificate and its key.
    ///
    /// # Errors
    /// When one of them can't be read or they do not belong together.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        Self::of(Files { certificate: certificate.to_owned(), key: key.to_owned(), own: None })
    }

    /// Like [`Self::load`], with the self-signed certificate in the directory, which is made if there is none, it has expired, or
    /// browsers don't take it.
    ///
    /// # Errors
    /// When it can't be written or read.
    pub fn self_signed(directory: &Path, address: IpAddr) -> Result<Self, CertificateError> {
        let (certificate, key) = (own_certificate(directory), directory.join("certificate-key.pem"));
        Self::of(Files { certificate, key, own: Some(address) })
    }

    fn of(files: Files) -> Result<Self, CertificateError> {
        let (seen, config) = files.read()?;
        let names = watch::Sender::new(seen.names());
        Ok(Self { files, tls: RustlsConfig::from_config(config), seen, names })
    }

    /// What the server needs. It changes with the certificate.
    pub fn tls(&self) -> RustlsConfig {
        self.tls.clone()
    }

    /// The SHA-256 fingerprint, as browsers show it.
    pub fn fingerprint(&self) -> String {
        let digest = self.seen.chain.first().map(Sha256::digest).unwrap_or_default();
        digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// The DNS names in it. They change with the certificate.
    pub fn names(&self) -> watch::Receiver<Vec<String>> {
        self.names.subscribe()
    }

    /// Uses every certificate that is put in the place of the first, for ever. Connections that are open keep theirs.
    pub async fn follow(mut self) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        let mut told = None;
        loop {
            looks.tick().await;
            match self.renew() {
                Ok(false) => told = None,
                Ok(true) => tracing::info!(fingerprint = self.fingerprint(), "the certificate was renewed"),
                // Once: the files may be half written, or stay wrong for days.
                Err(error) if told != Some(error.to_string()) => {
                    tracing::warn!(%error, "the certificate has changed, and the earlier one stays in use");
                    told = Some(error.to_string());
                }
                Err(_) => {}
            }
        }
    }

    /// Whether the files have changed: then they are used from now on.
    fn renew(&mut self) -> Result<bool, CertificateError> {
        let (seen, config) = self.files.read()?;
        if seen == self.seen {
            return Ok(false);
        }
        self.tls.reload_from_config(config);
        self.names.send_replace(seen.names());
        self.seen = seen;
        Ok(true)
    }
}

impl Seen {
    /// The DNS names in the certificate.
    fn names(&self) -> Vec<String> {
        let parsed = self.chain.first().and_then(|first| X509Certificate::from_der(first).ok());
        let names = parsed.and_then(|(_, parsed)| {
            let names = parsed.subject_alternative_name().ok()??.value.general_names.iter();
            let dns = names.filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                _ => None,
            });
            Some(dns.collect())
        });
        names.unwrap_or_default()
    }
}

impl Files {
    fn read(&self) -> Result<(Seen, Arc<ServerConfig>), CertificateError> {
        if let Some(address) = self.own {
            own::make_if_needed(&self.certificate, &self.key, address)?;
        }
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .map_err(|error| CertificateError::file(&self.certificate, error))?;
        if chain.is_empty() {
            return Err(CertificateError::file(&self.certificate, "there is no certificate in it"));
        }
        let unreadable = |error: &dyn ToString| CertificateError::file(&self.key, error.to_string());
        let pem = fs::read(&self.key).map_err(|error| unreadable(&error))?;
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| unreadable(&error))?;
        let seen = Seen { chain: chain.clone(), key: Sha256::digest(&pem).into() };
        let config = config(chain, key).map_err(|error| CertificateError::refused(&self.certificate, error))?;
        Ok((seen, Arc::new(config)))
    }
}

fn config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // WebSockets over HTTP/2 are another protocol (RFC 8441), so HTTP/1.1 is all there is.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
