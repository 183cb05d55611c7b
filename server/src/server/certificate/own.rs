//! The self-signed certificate that the console makes where it is given none.

use std::{fs, io::Write, net::IpAddr, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc, time::Duration};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::CertificateError;
use crate::host_name::host_name;

/// Every certificate of the console's own has this name.
const LOCALHOST: &str = "localhost";
/// How long one is valid: 825 days, the longest that browsers on macOS and iOS take (Apple's HT210176).
pub(super) const VALID: Duration = Duration::from_hours(825 * 24);

/// Makes a certificate if there is none that browsers take.
pub(super) fn make_if_needed(certificate: &Path, key: &Path, address: IpAddr) -> Result<(), CertificateError> {
    let why = if !certificate.exists() {
        return make(certificate, key, address, OffsetDateTime::now_utc());
    } else if has_expired(certificate)? {
        "has expired"
    } else if !is_for_servers(certificate)? {
        "does not say that it is for servers, which browsers on macOS and iOS want"
    } else {
        return Ok(());
    };
    tracing::warn!("the console's own certificate {why}: it makes a new one, with another fingerprint");
    make(certificate, key, address, OffsetDateTime::now_utc())
}

/// Whether the certificate has expired, by the check that browsers make.
fn has_expired(certificate: &Path) -> Result<bool, CertificateError> {
    use rustls::CertificateError::{Expired, ExpiredContext};

    let own = read(certificate)?;
    let mut trusted = RootCertStore::empty();
    trusted.add(own.clone()).map_err(|error| CertificateError::refused(certificate, error))?;
    let provider = Arc::new(ring::default_provider());
    let browser = WebPkiServerVerifier::builder_with_provider(Arc::new(trusted), provider)
        .build()
        .map_err(|error| CertificateError::refused(certificate, error))?;
    let name = ServerName::try_from(LOCALHOST).expect("it is a name");
    let verified = browser.verify_server_cert(&own, &[], &name, &[], UnixTime::now());
    Ok(matches!(verified, Err(rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }))))
}

/// Whether the certificate names what it is for, as Apple's HT210176 wants it. Those of earlier versions do not.
fn is_for_servers(certificate: &Path) -> Result<bool, CertificateError> {
    let own = read(certificate)?;
    let (_, parsed) = X509Certificate::from_der(&own).map_err(|error| CertificateError::refused(certificate, error))?;
    let usage = parsed.extended_key_usage().map_err(|error| CertificateError::refused(certificate, error))?;
    Ok(usage.is_some_and(|usage| usage.value.server_auth))
}

fn read(certificate: &Path) -> Result<CertificateDer<'static>, CertificateError> {
    CertificateDer::from_pem_file(certificate).map_err(|error| CertificateError::refused(certificate, error))
}

pub(super) fn make(
    certificate: &Path,
    key: &Path,
    address: IpAddr,
    now: OffsetDateTime,
) -> Result<(), CertificateError> {
    let mut params = params(address, now).map_err(|error| CertificateError::refused(certificate, error))?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    write(certificate, key, &params)
}

pub(super) fn params(address: IpAddr, now: OffsetDateTime) -> Result<CertificateParams, rcgen::Error> {
    let mut names = vec![LOCALHOST.to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !address.is_unspecified() && !address.is_loopback() {
        names.push(address.to_string());
    }
    names.extend(host_name());
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "vmferry");
    // Some clocks are slow.
    params.not_before = now - Duration::from_hours(24);
    params.not_after = now + VALID;
    Ok(params)
}

pub(super) fn write(certificate: &Path, key: &Path, params: &CertificateParams) -> Result<(), CertificateError> {
    let key_pair = KeyPair::generate().map_err(|error| CertificateError::refused(certificate, error))?;
    let signed = params.self_signed(&key_pair).map_err(|error| CertificateError::refused(certificate, error))?;
    // The key first: a certificate without one would look complete to the next start.
    write_private(key, &key_pair.serialize_pem())?;
    write_private(certificate, &signed.pem())
}

fn write_private(path: &Path, text: &str) -> Result<(), CertificateError> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| CertificateError::file(path, error))
}
