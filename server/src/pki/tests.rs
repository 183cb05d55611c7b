use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    server::WebPkiClientVerifier,
};
use time::OffsetDateTime;

use super::*;
use crate::test_directory::TestDirectory;

fn alpha() -> CertifiedHost {
    "alpha=192.0.2.7,alpha.example.org".parse().unwrap()
}

fn certificate(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

fn trusting(authority: &Path) -> Arc<RootCertStore> {
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate(authority)).unwrap();
    Arc::new(trusted)
}

/// Whether a client that trusts this authority takes this for the server of this name, a day from now.
fn is_server(authority: &Path, path: &Path, name: &str) -> bool {
    let provider = Arc::new(ring::default_provider());
    let client = WebPkiServerVerifier::builder_with_provider(trusting(authority), provider).build().unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    client.verify_server_cert(&certificate(path), &[], &name, &[], tomorrow()).is_ok()
}

/// Whether a server that trusts this authority lets this client in.
fn is_client(authority: &Path, path: &Path) -> bool {
    let provider = Arc::new(ring::default_provider());
    let server = WebPkiClientVerifier::builder_with_provider(trusting(authority), provider).build().unwrap();
    server.verify_client_cert(&certificate(path), &[], tomorrow()).is_ok()
}

fn tomorrow() -> UnixTime {
    let seconds = OffsetDateTime::now_utc().unix_timestamp() + 86_400;
    UnixTime::since_unix_epoch(Duration::from_secs(seconds.try_into().unwrap()))
}

/// All files and directories below one, with their modes.
fn listed(root: &Path, below: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
        all.push(format!("{mode:o} {}", path.strip_prefix(root).unwrap().display()));
        if path.is_dir() {
            all.extend(listed(root, &path));
        }
    }
    all.sort_by(|a, b| a[4..].cmp(&b[4..]));
    all
}

#[test]
fn a_host_s_files_lie_where_libvirt_and_qemu_look() {
    let directory = TestDirectory::new();
    let pki = Pki::open(&directory.path().join("pki"), OffsetDateTime::now_utc()).unwrap();
    let tree = pki.certify(&alpha()).unwrap();
    let expected = [
        "755 etc",
        "755 etc/pki",
        "755 etc/pki/CA",
        "644 etc/pki/CA/cacert.pem",
        "755 etc/pki/libvirt",
        "644 etc/pki/libvirt/clientcert.pem",
        "755 etc/pki/libvirt/private",
        "600 etc/pki/libvirt/private/clientkey.pem",
        "600 etc/pki/libvirt/private/serverkey.pem",
        "644 etc/pki/libvirt/servercert.pem",
        "755 etc/pki/qemu",
        "644 etc/pki/qemu/ca-cert.pem",
        "644 etc/pki/qemu/client-cert.pem",
        "640 etc/pki/qemu/client-key.pem",
        "644 etc/pki/qemu/server-cert.pem",
        "640 etc/pki/qemu/server-key.pem",
    ];
    assert_eq!(listed(&tree, &tree), expected);
    let authorities = directory.path().join("pki").join(AUTHORITIES);
    let expected = ["600 libvirt-key.pem", "644 libvirt.pem", "600 qemu-key.pem", "644 qemu.pem"];
    assert_eq!(listed(&authorities, &authorities), expected);
    assert_eq!(directory.path().join("pki").metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn certificates_are_good_for_their_host_and_side_and_program_only() {
    let directory = TestDirectory::new();
    let pki = Pki::open(directory.path(), OffsetDateTime::now_utc()).unwrap();
    let etc = pki.certify(&alpha()).unwrap().join("etc/pki");
    let (libvirt, qemu) = (etc.join("CA/cacert.pem"), etc.join("qemu/ca-cert.pem"));
    for (authority, server, client) in [
        (&libvirt, "libvirt/servercert.pem", "libvirt/clientcert.pem"),
        (&qemu, "qemu/server-cert.pem", "qemu/client-cert.pem"),
    ] {
        let (server, client) = (etc.join(server), etc.join(client));
        assert!(is_server(authority, &server, "192.0.2.7"));
        assert!(is_server(authority, &server, "alpha.example.org"));
        assert!(!is_server(authority, &server, "beta.example.org"));
        assert!(!is_server(authority, &client, "192.0.2.7"));
        assert!(is_client(authority, &client));
        assert!(!is_client(authority, &server));
    }
    assert!(!is_client(&libvirt, &etc.join("qemu/client-cert.pem")), "who has QEMU's key would control libvirt");
    let console = pki.certify_console().unwrap();
    assert!(is_client(&libvirt, &console.join("clientcert.pem")));
}

#[test]
fn again_it_renews_and_leaves_the_authorities_as_they_are() {
    let directory = TestDirectory::new();
    let now = OffsetDateTime::now_utc();
    let read = |path: &str| fs::read(directory.path().join(path)).unwrap();
    let all = || ["libvirt", "libvirt-key", "qemu", "qemu-key"].map(|name| read(&format!("{AUTHORITIES}/{name}.pem")));
    Pki::open(directory.path(), now).unwrap().certify(&alpha()).unwrap();
    let (authorities, first) = (all(), read("hosts/alpha/etc/pki/libvirt/servercert.pem"));
    let pki = Pki::open(directory.path(), now).unwrap();
    let tree = pki.certify(&alpha()).unwrap();
    pki.certify(&"beta=192.0.2.8".parse().unwrap()).unwrap();
    assert_eq!(all(), authorities);
    assert_ne!(read("hosts/alpha/etc/pki/libvirt/servercert.pem"), first);
    assert!(is_server(&tree.join("etc/pki/CA/cacert.pem"), &tree.join("etc/pki/libvirt/servercert.pem"), "192.0.2.7"));
    let hosts = fs::read_dir(directory.path().join("hosts")).unwrap().count();
    assert_eq!(hosts, 2, "nothing is left but the two hosts");
}

#[test]
fn nothing_outlives_its_authority() {
    let directory = TestDirectory::new();
    let made = OffsetDateTime::now_utc() - AUTHORITY_VALID;
    let later = |days: u64| made + Duration::from_hours(24 * days);
    assert_eq!(Pki::open(directory.path(), made).unwrap().valid_until(), (made + HOST_VALID).date());
    let near_the_end = Pki::open(directory.path(), later(3_600)).unwrap();
    assert_eq!(near_the_end.valid_until(), (made + AUTHORITY_VALID).date());
    assert!(matches!(Pki::open(directory.path(), later(3_630)), Err(PkiError::Ending { .. })));
}

#[test]
fn half_an_authority_or_another_s_key_is_refused() {
    let directory = TestDirectory::new();
    let now = OffsetDateTime::now_utc();
    drop(Pki::open(directory.path(), now).unwrap());
    let file = |name: &str| directory.path().join(AUTHORITIES).join(name);
    fs::rename(file("qemu-key.pem"), file("kept")).unwrap();
    let refused = Pki::open(directory.path(), now).err().unwrap().to_string();
    assert!(refused.contains("qemu-key.pem does not"), "{refused}");
    fs::copy(file("libvirt-key.pem"), file("qemu-key.pem")).unwrap();
    let refused = Pki::open(directory.path(), now).err().unwrap().to_string();
    assert!(refused.contains("it is not the key of"), "{refused}");
    fs::rename(file("kept"), file("qemu-key.pem")).unwrap();
    assert!(Pki::open(directory.path(), now).is_ok());
}
