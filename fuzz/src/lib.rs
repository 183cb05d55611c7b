//! What must hold for every URI, whatever the input. The judge is a URL parser that is not used to build them.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

use engine::{Address, Daemon, HostConfig, Ssh, Transport, UserName};
use url::{Host, Url};

// Included as a file, because the rest of its crate needs libvirt.
#[allow(dead_code, reason = "the fuzz targets do not use all of it")]
#[path = "../../server/libvirt/src/connection/uri.rs"]
mod uri;

/// The methods of a libssh login.
const METHODS: &str = "password,keyboard-interactive";

/// The expected parts of a URI.
struct Expected<'a> {
    scheme: &'a str,
    user: &'a str,
    address: Option<&'a Address>,
    port: Option<u16>,
    path: &'a str,
    /// Names and values, in this order.
    parameters: &'a [(&'a str, &'a [u8])],
}

/// Checks all URIs that are made of a host, with this path of a key.
pub fn check_host(host: &HostConfig, key: &[u8]) {
    check_transport(&host.transport, key);
    check_transport(&host.peer_transport, key);
    check_data(&host.peer_address);
}

/// Checks all URIs that are made of these fields.
pub fn check_fields(address: &Address, user: &UserName, port: u16, key: &[u8]) {
    let ssh =
        Ssh { address: address.clone(), port, user: user.clone(), login: engine::SshLogin::Program, fingerprint: None };
    check_transport(&Transport::Ssh(ssh), key);
    check_transport(&Transport::Tls { address: address.clone(), port }, key);
    for daemon in [Daemon::System, Daemon::Session] {
        check_transport(&Transport::Tcp { address: address.clone(), port, daemon }, key);
    }
    check_data(address);
}

fn check_transport(transport: &Transport, key: &[u8]) {
    let plain = Expected { scheme: "qemu", user: "", address: None, port: None, path: "/system", parameters: &[] };
    let expected = match transport {
        Transport::Local => plain,
        Transport::Tcp { address, port, daemon } => {
            let path = if *daemon == Daemon::System { "/system" } else { "/session" };
            Expected { scheme: "qemu+tcp", address: Some(address), port: Some(*port), path, ..plain }
        }
        Transport::Tls { address, port } => {
            Expected { scheme: "qemu+tls", address: Some(address), port: Some(*port), ..plain }
        }
        Transport::Ssh(ssh) => {
            check_libssh(ssh, key);
            Expected {
                scheme: "qemu+ssh",
                user: ssh.user.as_str(),
                address: Some(&ssh.address),
                port: Some(ssh.port),
                parameters: &[("no_tty", b"1")],
                ..plain
            }
        }
    };
    check(&uri::daemon(transport), &expected);
}

fn check_libssh(ssh: &Ssh, key: &[u8]) {
    let known_hosts = b"/var/lib/vmferry/known_hosts";
    let path = |bytes| Path::new(OsStr::from_bytes(bytes));
    let mut parameters: Vec<(&str, &[u8])> =
        vec![("sshauth", METHODS.as_bytes()), ("known_hosts", known_hosts), ("known_hosts_verify", b"normal")];
    let without_key = uri::libssh(ssh, path(known_hosts), METHODS, None);
    let with_key = uri::libssh(ssh, path(known_hosts), METHODS, Some(path(key)));
    for (uri, parameter) in [(without_key, None), (with_key, Some(("keyfile", key)))] {
        parameters.extend(parameter);
        let expected = Expected {
            scheme: "qemu+libssh",
            user: ssh.user.as_str(),
            address: Some(&ssh.address),
            port: Some(ssh.port),
            path: "/system",
            parameters: &parameters,
        };
        check(&uri, &expected);
    }
}

fn check_data(address: &Address) {
    for (rdma, scheme) in [(false, "tcp"), (true, "rdma")] {
        let expected = Expected { scheme, user: "", address: Some(address), port: None, path: "", parameters: &[] };
        check(&uri::migration_data(address, rdma), &expected);
    }
}

fn check(text: &str, expected: &Expected) {
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
    assert!(!text.contains(['\'', '"', '`', '$', ';', '\\', '<', '>', '|', '(', ')', '#']), "{text}");
    assert!(!text.contains("command=") && !text.contains("socket="), "{text}");
    let uri = Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(uri.scheme(), expected.scheme, "{text}");
    assert_eq!((uri.username(), uri.password()), (expected.user, None), "{text}");
    assert_eq!(uri.port(), expected.port, "{text}");
    assert_eq!(uri.path(), expected.path, "{text}");
    assert!(expected.user.is_empty() || !expected.user.starts_with('-'), "{text}");
    check_address(&uri, expected.address);
    let (names, values): (Vec<_>, Vec<_>) = parameters(&uri).into_iter().unzip();
    assert_eq!(names, expected.parameters.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{text}");
    assert_eq!(values, expected.parameters.iter().map(|(_, value)| *value).collect::<Vec<_>>(), "{text}");
}

fn check_address(uri: &Url, expected: Option<&Address>) {
    match (uri.host(), expected) {
        (None, None) => {}
        (Some(Host::Ipv6(read)), Some(Address::V6(meant))) => assert_eq!(read, *meant, "{uri}"),
        (Some(Host::Domain(read)), Some(Address::V4(meant))) => assert_eq!(read.parse(), Ok(*meant), "{uri}"),
        (Some(Host::Domain(read)), Some(Address::Name(meant))) => {
            assert_eq!(read, meant, "{uri}");
            assert!(!read.starts_with('-') && read.len() <= 253, "{uri}");
            // Resolvers take such names for IPv4 addresses, so none may be accepted.
            let last = read.rsplit('.').next().unwrap_or_default();
            let hexadecimal =
                last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
            assert!(!last.bytes().all(|byte| byte.is_ascii_digit()) && !hexadecimal, "{uri}");
        }
        (read, meant) => panic!("{uri}: {read:?} instead of {meant:?}"),
    }
}

/// The parameters as libvirt reads them: split first, then decoded.
fn parameters(uri: &Url) -> Vec<(&str, Vec<u8>)> {
    let query = uri.query().into_iter().flat_map(|query| query.split('&'));
    let pairs = query.map(|pair| pair.split_once('=').unwrap_or_else(|| panic!("{uri}: {pair}")));
    pairs.map(|(name, value)| (name, percent_encoding::percent_decode_str(value).collect())).collect()
}
