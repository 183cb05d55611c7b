//! The console's certificate: the admin's, or a self-signed one that the console makes.

use std::{
    fs,
    io::Write,
    net::IpAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

/// Every certificate of the console's own has this name.
const LOCALHOST: &str = "localhost";
/// How long one is valid: 825 days, the longest that browsers on macOS and iOS take (Apple's HT210176).
const VALID: Duration = Duration::from_hours(825 * 24);

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

/// Reads a certificate and its key, and returns them with the certificate's SHA-256 fingerprint.
///
/// # Errors
/// When one of them can't be read or they do not belong together.
pub fn load(certificate: &Path, key: &Path) -> Result<(RustlsConfig, String), CertificateError> {
    let file = |path: &Path, reason: String| CertificateError::File { path: path.to_owned(), reason };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| file(certificate, error.to_string()))?;
    let first = chain.first().ok_or_else(|| file(certificate, "there is no certificate in it".into()))?;
    let fingerprint: Vec<String> = Sha256::digest(first).iter().map(|byte| format!("{byte:02X}")).collect();
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| file(key, error.to_string()))?;

    let refused =
        |error: rustls::Error| CertificateError::Refused { path: certificate.to_owned(), reason: error.to_string() };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(refused)?;
    // WebSockets over HTTP/2 are another protocol (RFC 8441), so HTTP/1.1 is all there is.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((RustlsConfig::from_config(Arc::new(config)), fingerprint.join(":")))
}

/// Like [`load`], with the self-signed certificate in the directory, which is made if there is none or it has expired.
///
/// # Errors
/// When it can't be written or read.
pub fn self_signed(directory: &Path, address: IpAddr) -> Result<(RustlsConfig, String), CertificateError> {
    let (certificate, key) = (directory.join("certificate.pem"), directory.join("certificate-key.pem"));
    if !certificate.exists() {
        make(&certificate, &key, address, OffsetDateTime::now_utc())?;
    } else if has_expired(&certificate)? {
        tracing::warn!("the console's own certificate has expired: it makes a new one, with another fingerprint");
        make(&certificate, &key, address, OffsetDateTime::now_utc())?;
    }
    load(&certificate, &key)
}

/// Whether the certificate has expired, by the check that browsers make.
fn has_expired(certificate: &Path) -> Result<bool, CertificateError> {
    use rustls::CertificateError::{Expired, ExpiredContext};

    let refused = |error: String| CertificateError::Refused { path: certificate.to_owned(), reason: error };
    let own = CertificateDer::from_pem_file(certificate).map_err(|error| refused(error.to_string()))?;
    let mut trusted = RootCertStore::empty();
    trusted.add(own.clone()).map_err(|error| refused(error.to_string()))?;
    let provider = Arc::new(ring::default_provider());
    let browser = WebPkiServerVerifier::builder_with_provider(Arc::new(trusted), provider)
        .build()
        .map_err(|error| refused(error.to_string()))?;
    let name = ServerName::try_from(LOCALHOST).expect("it is a name");
    let verified = browser.verify_server_cert(&own, &[], &name, &[], UnixTime::now());
    Ok(matches!(verified, Err(rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }))))
}

fn make(certificate: &Path, key: &Path, address: IpAddr, now: OffsetDateTime) -> Result<(), CertificateError> {
    let refused =
        |error: rcgen::Error| CertificateError::Refused { path: certificate.to_owned(), reason: error.to_string() };
    let mut names = vec![LOCALHOST.to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !address.is_unspecified() && !address.is_loopback() {
        names.push(address.to_string());
    }
    names.extend(host_name());
    let mut params = CertificateParams::new(names).map_err(refused)?;
    params.distinguished_name.push(DnType::CommonName, "vmferry");
    // Some clocks are slow.
    params.not_before = now - Duration::from_hours(24);
    params.not_after = now + VALID;
    let key_pair = KeyPair::generate().map_err(refused)?;
    let signed = params.self_signed(&key_pair).map_err(refused)?;
    // The key first: a certificate without one would look complete to the next start.
    write_private(key, &key_pair.serialize_pem())?;
    write_private(certificate, &signed.pem())
}

/// This machine's name, if it can be one in a certificate.
fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    name.trim().parse::<engine::Address>().ok().map(|name| name.to_string())
}

fn write_private(path: &Path, text: &str) -> Result<(), CertificateError> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| CertificateError::File { path: path.to_owned(), reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_directory::TestDirectory;

    #[test]
    fn an_own_certificate_stays_until_it_expires() {
        let directory = TestDirectory::new();
        let address = IpAddr::from([192, 0, 2, 1]);
        let (certificate, key) =
            (directory.path().join("certificate.pem"), directory.path().join("certificate-key.pem"));
        make(&certificate, &key, address, OffsetDateTime::now_utc() - VALID - Duration::from_hours(1)).unwrap();
        let (_, expired) = load(&certificate, &key).unwrap();
        let (_, first) = self_signed(directory.path(), address).unwrap();
        let (_, second) = self_signed(directory.path(), address).unwrap();
        assert_ne!(expired, first);
        assert_eq!(first, second);
    }
}
