//! Certificates that are made, renewed, and wrong.

use std::net::Ipv4Addr;

use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};
use time::OffsetDateTime;

use super::*;
use crate::http::Names;
use crate::test_directory::TestDirectory;

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// Where a certificate and its key are in a test's directory.
fn files(directory: &TestDirectory) -> (PathBuf, PathBuf) {
    (directory.path().join("certificate.pem"), directory.path().join("certificate-key.pem"))
}

/// Whether a client that trusts only this certificate is served.
fn shows(tls: &RustlsConfig, certificate: &Path) -> bool {
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let mut client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut server = ServerConnection::new(tls.get_inner()).unwrap();
    while client.is_handshaking() {
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut bytes = bytes.as_slice();
        while !bytes.is_empty() {
            client.read_tls(&mut bytes).unwrap();
            if client.process_new_packets().is_err() {
                return false;
            }
        }
    }
    true
}

#[test]
fn an_own_certificate_stays_until_it_expires() {
    let directory = TestDirectory::new();
    let (certificate, key) = files(&directory);
    let long_ago = OffsetDateTime::now_utc() - own::VALID - Duration::from_hours(1);
    own::make(&certificate, &key, ADDRESS, long_ago).unwrap();
    let expired = Certificate::load(&certificate, &key).unwrap();
    let first = Certificate::self_signed(directory.path(), ADDRESS).unwrap();
    let second = Certificate::self_signed(directory.path(), ADDRESS).unwrap();
    assert_ne!(expired.fingerprint(), first.fingerprint());
    assert_eq!(first.fingerprint(), second.fingerprint());
    assert!(first.names().borrow().contains(&"localhost".to_owned()));
}

#[test]
fn an_own_certificate_is_for_servers() {
    let directory = TestDirectory::new();
    let (certificate, key) = files(&directory);
    // As earlier versions made them.
    own::write(&certificate, &key, &own::params(ADDRESS, OffsetDateTime::now_utc()).unwrap()).unwrap();
    let earlier = Certificate::load(&certificate, &key).unwrap();
    let cured = Certificate::self_signed(directory.path(), ADDRESS).unwrap();
    assert_ne!(earlier.fingerprint(), cured.fingerprint());
    let der = CertificateDer::from_pem_file(&certificate).unwrap();
    let (_, parsed) = X509Certificate::from_der(&der).unwrap();
    assert!(parsed.extended_key_usage().unwrap().unwrap().value.server_auth);
    assert!(shows(&cured.tls(), &certificate));
}

#[test]
fn the_names_of_a_renewed_certificate_are_the_consoles() {
    let directory = TestDirectory::new();
    let (certificate, key) = files(&directory);
    let write = |name: &str| {
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        own::write(&certificate, &key, &params).unwrap();
    };
    write("old.example");
    let mut shown = Certificate::load(&certificate, &key).unwrap();
    let names = Names::default().and_of_certificate(shown.names());
    assert!(names.have("old.example") && !names.have("new.example"));
    write("new.example");
    assert!(shown.renew().unwrap());
    assert!(names.have("new.example") && !names.have("old.example"));
}

#[test]
fn a_renewed_certificate_is_shown_without_a_restart() {
    let (directory, renewed) = (TestDirectory::new(), TestDirectory::new());
    let ((certificate, key), (new_certificate, new_key)) = (files(&directory), files(&renewed));
    let now = OffsetDateTime::now_utc();
    own::make(&certificate, &key, ADDRESS, now).unwrap();
    own::make(&new_certificate, &new_key, ADDRESS, now).unwrap();
    let mut shown = Certificate::load(&certificate, &key).unwrap();
    let tls = shown.tls();
    assert!(!shown.renew().unwrap());
    assert!(shows(&tls, &certificate) && !shows(&tls, &new_certificate));

    // Half written: the certificate is there, its key is not. The earlier one stays.
    let earlier = directory.path().join("earlier.pem");
    fs::rename(&certificate, &earlier).unwrap();
    fs::copy(&new_certificate, &certificate).unwrap();
    assert!(matches!(shown.renew(), Err(CertificateError::Refused { .. })));
    fs::write(&certificate, "").unwrap();
    assert!(matches!(shown.renew(), Err(CertificateError::File { .. })));
    assert!(shows(&tls, &earlier));

    fs::copy(&new_certificate, &certificate).unwrap();
    fs::copy(&new_key, &key).unwrap();
    assert!(shown.renew().unwrap());
    assert!(!shown.renew().unwrap());
    assert!(shows(&tls, &new_certificate) && !shows(&tls, &earlier));
}
