//! libvirt URIs. Made here only, from checked fields only: a URI can run programs (`?command=`, `?socket=`), and the one for
//! peer-to-peer is opened by the source's daemon, as root.

use engine::{Address, Daemon, Ssh, Transport};

/// Where libvirt finds this daemon.
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
        // no_tty: without it ssh would ask for a password where nobody sees it, and wait.
        Transport::Ssh(Ssh { address, port, user, .. }) => {
            format!("qemu+ssh://{}@{}:{port}/system?no_tty=1", user.as_str(), address.in_uri())
        }
    }
}

/// Where QEMU sends the memory; libvirt chooses the port.
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

    proptest! {
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
        fn likely_fields_too(host in "[a-z0-9.:?/&=%@-]{1,20}", account in "[a-z_@/?-]{1,10}", port: u16) {
            let Ok(address) = host.parse::<Address>() else { return Ok(()) };
            let Ok(user) = account.parse() else { return Ok(()) };
            let ssh = daemon(&ssh(address, port, user));
            prop_assert!(ssh.bytes().all(|b| b.is_ascii_graphic()));
            prop_assert_eq!(ssh.matches(['?', '@', '&', '#', '%']).count(), 2);
        }
    }
}
