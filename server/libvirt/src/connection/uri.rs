//! libvirt URIs. They are made here only, from checked fields only: a URI can run programs (`?command=`, `?socket=`), and the URI
//! of a peer-to-peer migration is opened by the source's daemon, as root.

use std::{os::unix::ffi::OsStrExt, path::Path};

use engine::{Address, Daemon, Ssh, Transport};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

/// The URI of this daemon. With ssh, libvirt runs the program `ssh`, which reads its usual configuration.
pub(crate) fn daemon(transport: &Transport) -> String {
    match transport {
        Transport::Local => "qemu:///system".to_owned(),
        Transport::Tcp { address, port, daemon } => {
            let path = match daemon {
                Daemon::System => "system",
                Daemon::Session => "session",
            };
            format!("qemu+tcp://{}:{port}/{path}", address.in_uri())
        }
        Transport::Tls { address, port } => format!("qemu+tls://{}:{port}/system", address.in_uri()),
        // Without no_tty, ssh would ask for a password on a terminal that the console does not have, and wait.
        Transport::Ssh(Ssh { address, port, user, .. }) => {
            format!("qemu+ssh://{}@{}:{port}/system?no_tty=1", user.as_str(), address.in_uri())
        }
    }
}

/// The URI of a host's system daemon through libssh. libvirt tries the login `methods` in this order, and no others.
pub(crate) fn libssh(ssh: &Ssh, known_hosts: &Path, methods: &str, key: Option<&Path>) -> String {
    let Ssh { address, port, user, .. } = ssh;
    let known_hosts = encoded(known_hosts);
    let key = key.map(|key| format!("&keyfile={}", encoded(key))).unwrap_or_default();
    format!(
        "qemu+libssh://{}@{}:{port}/system?sshauth={methods}&known_hosts={known_hosts}&known_hosts_verify=normal{key}",
        user.as_str(),
        address.in_uri()
    )
}

fn encoded(path: &Path) -> String {
    percent_encode(path.as_os_str().as_bytes(), NON_ALPHANUMERIC).to_string()
}

/// The address that QEMU sends the memory to; libvirt chooses the port.
pub(crate) fn migration_data(address: &Address, rdma: bool) -> String {
    let protocol = if rdma { "rdma" } else { "tcp" };
    format!("{protocol}://{}", address.in_uri())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn ssh(address: Address, port: u16, user: engine::UserName) -> Transport {
        Transport::Ssh(Ssh { address, port, user, login: engine::SshLogin::Program, fingerprint: None })
    }

    #[test]
    fn every_transport_has_its_uri() {
        let tcp = |daemon| Transport::Tcp { address: address("127.0.0.2"), port: 16509, daemon };
        assert_eq!(daemon(&Transport::Local), "qemu:///system");
        assert_eq!(daemon(&tcp(Daemon::Session)), "qemu+tcp://127.0.0.2:16509/session");
        assert_eq!(daemon(&tcp(Daemon::System)), "qemu+tcp://127.0.0.2:16509/system");
        let tls = Transport::Tls { address: address("2001:db8::7"), port: 16514 };
        assert_eq!(daemon(&tls), "qemu+tls://[2001:db8::7]:16514/system");
        let ssh = ssh("host7.example.org".parse().unwrap(), 2222, "root".parse().unwrap());
        assert_eq!(daemon(&ssh), "qemu+ssh://root@host7.example.org:2222/system?no_tty=1");
        assert_eq!(migration_data(&address("::1"), false), "tcp://[::1]");
        assert_eq!(migration_data(&address("192.0.2.7"), true), "rdma://192.0.2.7");
    }

    #[test]
    fn libssh_gets_files_and_methods() {
        let login = |address: &str| Ssh {
            address: address.parse().unwrap(),
            port: 2222,
            user: "root".parse().unwrap(),
            login: engine::SshLogin::AccountKeys,
            fingerprint: None,
        };
        assert_eq!(
            libssh(&login("::1"), Path::new("/var/known hosts"), "agent,privkey", Some(Path::new("/k&y"))),
            "qemu+libssh://root@[::1]:2222/system?sshauth=agent,privkey&known_hosts=%2Fvar%2Fknown%20hosts&known_hosts_verify=normal\
             &keyfile=%2Fk%26y"
        );
        let without_key = libssh(&login("h"), Path::new("/k"), "password", None);
        assert!(!without_key.contains("keyfile"));
    }

    proptest! {
        #[test]
        fn no_path_can_change_the_shape_of_a_libssh_uri(known_hosts in "/\\PC*", key in "/(.|[?&=#%;+ ]){0,9}", port: u16) {
            let ssh = Ssh {
                address: address("host7.example.org"),
                port,
                user: "mover".parse().unwrap(),
                login: engine::SshLogin::ConsoleKey,
                fingerprint: None,
            };
            let uri = libssh(&ssh, Path::new(&known_hosts), "privkey", Some(Path::new(&key)));
            let (place, query) = uri.split_once('?').unwrap();
            prop_assert_eq!(place, format!("qemu+libssh://mover@host7.example.org:{port}/system"));
            let fields: Vec<_> = query.split('&').map(|field| field.split_once('=').unwrap()).collect();
            let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
            prop_assert_eq!(names, ["sshauth", "known_hosts", "known_hosts_verify", "keyfile"]);
            for (field, path) in [(1, &known_hosts), (3, &key)] {
                let value = fields[field].1;
                prop_assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'%'));
                prop_assert_eq!(&percent_encoding::percent_decode_str(value).decode_utf8().unwrap(), path);
            }
        }

        #[test]
        fn no_field_can_change_the_shape_of_a_uri(host in ".*", account in ".*", port: u16) {
            let Ok(address) = host.parse::<Address>() else { return Ok(()) };
            let shown = address.in_uri();
            let tcp = Transport::Tcp { address: address.clone(), port, daemon: Daemon::System };
            prop_assert_eq!(daemon(&tcp), format!("qemu+tcp://{shown}:{port}/system"));
            prop_assert!(!shown.contains(['/', '?', '#', '@', '%', '&', '=', ' ', '\0']));
            if let Ok(user) = account.parse() {
                let ssh = daemon(&ssh(address, port, user));
                prop_assert_eq!(ssh.matches('?').count(), 1);
                prop_assert_eq!(ssh.matches('@').count(), 1);
                prop_assert_eq!(ssh.matches('/').count(), 3);
                prop_assert!(ssh.ends_with("/system?no_tty=1"));
            }
        }

        #[test]
        fn no_likely_field_can_change_the_shape_of_a_uri(host in "[a-z0-9.:?/&=%@-]{1,20}", account in "[a-z_@/?-]{1,10}", port: u16) {
            let Ok(address) = host.parse::<Address>() else { return Ok(()) };
            let Ok(user) = account.parse() else { return Ok(()) };
            let ssh = daemon(&ssh(address, port, user));
            prop_assert!(ssh.bytes().all(|b| b.is_ascii_graphic()));
            prop_assert_eq!(ssh.matches(['?', '@', '&', '#', '%']).count(), 2);
        }
    }
}
