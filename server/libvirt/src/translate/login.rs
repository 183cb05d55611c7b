//! Why the source's daemon can't log in at the destination of a peer-to-peer migration. It logs in first, so that nothing has begun
//! then. libvirt reports it as it does any connection that can't be opened.

use engine::HostErrorKind;
use engine::{Ssh, Transport};
use virt::sys::{VIR_ERR_AUTH_FAILED, VIR_ERR_AUTH_UNAVAILABLE, VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC};

use super::{
    meaning::{self, Meaning, errno, numbered, saying, system},
    template,
};
use crate::error::LibvirtError;

const NAME_UNKNOWN: &str = "{host} can't resolve {address}, the name of {destination}.";
const CORRECT_NAME: &str =
    "Correct the address under which other hosts reach {destination}, or the name resolution on {host}.";

const REFUSED: &str = "{host} can't connect to {destination}: connection refused.";
const START_OR_OPEN: &str = "On {destination}, start the libvirt daemon or sshd, or open the port that the details name in the \
                             firewall.";

const NO_ROUTE: &str = "{host} has no route to {destination}.";
const LOOK_AT_NETWORK: &str =
    "Check the network between the two hosts, and the address under which other hosts reach {destination}.";

const NO_ANSWER: &str = "{host} gets no answer from {destination}.";
const LOOK_AT_FIREWALL: &str = "Check whether a firewall between the two hosts drops the port that the details name.";

const CERTIFICATES_DIFFER: &str = "{host} and {destination} do not accept each other's certificates.";
const COMPARE_CERTIFICATES: &str = "Check the authority that signed them, the names they are for, and their dates.";

const REFUSED_LOGIN: &str = "The login at {destination} failed.";
const LOOK_AT_LOGIN: &str = "Check the accounts, keys or certificates that {host} uses there.";

/// The first that fits counts.
pub(super) static MEANINGS: &[Meaning] = &[
    saying("Host key verification failed").is(HostErrorKind::PeerLogin).tell(
        "{host} does not know the ssh host key of {destination}, or it has changed.",
        "On {host}, log in to {destination} once with ssh as the account that libvirt runs as (root), and accept the key after \
         comparing it.",
    ),
    numbered(VIR_ERR_SYSTEM_ERROR).and_says("Permission denied (").is(HostErrorKind::PeerLogin).tell(
        "{host} may not log in to {destination} with ssh.",
        "Add the public key of the account that libvirt runs as on {host} (root) to the authorized keys on {destination}.",
    ),
    saying("Could not resolve hostname {address}:").is(HostErrorKind::PeerLogin).tell(NAME_UNKNOWN, CORRECT_NAME),
    saying("Unable to resolve address '{address}' service").is(HostErrorKind::PeerLogin).tell(NAME_UNKNOWN, CORRECT_NAME),
    // ssh's errors of a connection that it can't open. For one that breaks it uses the same words after others.
    saying("connect to host {} port {}: Connection refused").is(HostErrorKind::PeerLogin).tell(REFUSED, START_OR_OPEN),
    saying("connect to host {} port {}: No route to host").is(HostErrorKind::PeerLogin).tell(NO_ROUTE, LOOK_AT_NETWORK),
    saying("connect to host {} port {}: Connection timed out").is(HostErrorKind::PeerLogin).tell(NO_ANSWER, LOOK_AT_FIREWALL),
    system(VIR_FROM_RPC, errno::REFUSED).is(HostErrorKind::PeerLogin).tell(REFUSED, START_OR_OPEN),
    system(VIR_FROM_RPC, errno::NO_ROUTE).is(HostErrorKind::PeerLogin).tell(NO_ROUTE, LOOK_AT_NETWORK),
    system(VIR_FROM_RPC, errno::TIMED_OUT).is(HostErrorKind::PeerLogin).tell(NO_ANSWER, LOOK_AT_FIREWALL),
    from(VIR_FROM_RPC, "Cannot read {kind} '{file}': No such file").tell(
        "{host} has no TLS certificate to log in to {destination} with: {file} is missing.",
        "Install the certificates for libvirt on both hosts (`vmferry pki` makes them), or let hosts log in by ssh.",
    ),
    from(VIR_FROM_RPC, "Certificate failed validation").tell(CERTIFICATES_DIFFER, COMPARE_CERTIFICATES),
    from(VIR_FROM_RPC, "verify peer's certificate").tell(CERTIFICATES_DIFFER, COMPARE_CERTIFICATES),
    from(VIR_FROM_RPC, "owner does not match the hostname").tell(CERTIFICATES_DIFFER, COMPARE_CERTIFICATES),
    from(VIR_FROM_RPC, "TLS handshake failed").tell(CERTIFICATES_DIFFER, COMPARE_CERTIFICATES),
    numbered(VIR_ERR_AUTH_FAILED).is(HostErrorKind::PeerLogin).tell(REFUSED_LOGIN, LOOK_AT_LOGIN),
    numbered(VIR_ERR_AUTH_UNAVAILABLE).is(HostErrorKind::PeerLogin).tell(
        "The account that {host} logs in to {destination} with may not use libvirt there.",
        "Add that account to the group libvirt on {destination}, or let {host} log in as another.",
    ),
    saying("unexpected qemu URI path").is(HostErrorKind::PeerLogin).tell(
        "The libvirt daemon of {destination} is of the other kind: a user's own (session) instead of the system's, or the reverse.",
        "Correct the kind of daemon in the settings of {destination}.",
    ),
];

/// An error of this part of libvirt: QEMU has the same words about certificates when it sends the memory.
const fn from(domain: u32, text: &'static str) -> Meaning {
    saying(text).of_domain(domain).is(HostErrorKind::PeerLogin)
}

/// The row for an error that says that the source could not log in by `transport`.
pub(super) fn meaning(error: &LibvirtError, transport: &Transport) -> Option<&'static Meaning> {
    let meaning = meaning::of(&[MEANINGS], error)?;
    let is_login = match port(&error.message) {
        Some(named) => Some(named) == port_of(transport),
        // libvirt names the port of a connection that can't be opened, in any language. It does not name that of one that breaks,
        // and then the VM may be on either host.
        None => !meaning.is_by_errno(),
    };
    is_login.then_some(meaning)
}

/// The port in an error's text, in any language: QEMU's data goes to another port than the login.
fn port(words: &str) -> Option<u16> {
    let is_address = |char: char| char.is_ascii_alphanumeric() || ".:-_[]%".contains(char);
    let mut addresses = words.split(|char| !is_address(char)).filter_map(|text| text.rsplit_once(':'));
    let service = || template::find("service '{port}'", words)?.first()?.1.parse().ok();
    addresses.find_map(|(_, port)| port.parse().ok()).or_else(service)
}

fn port_of(transport: &Transport) -> Option<u16> {
    match transport {
        Transport::Tcp { port, .. } | Transport::Tls { port, .. } | Transport::Ssh(Ssh { port, .. }) => Some(*port),
        Transport::Local => None,
    }
}

#[cfg(test)]
mod tests {
    use engine::HostErrorKind::PeerLogin;
    use model::{ControlFlow, Mode};

    use super::*;
    use crate::{
        error::CallFailure,
        migrate::testing::plan,
        translate::{
            not_migrated,
            testing::{check, error},
        },
    };

    #[test]
    #[rustfmt::skip]
    fn every_row_has_its_words() {
        check(MEANINGS, &[
            // dst daemon port refused, in two languages
            (38, 7, 111, "unable to connect to server at '127.0.0.9:16509': Connection refused",
                PeerLogin, "alpha can't connect to beta: connection refused.", "the libvirt daemon or sshd"),
            (38, 7, 111, "Verbindung zu Server »127.0.0.9:16509« nicht möglich: Verbindungsaufbau abgelehnt",
                PeerLogin, "alpha can't connect to beta: connection refused.", "On beta, start the libvirt daemon"),
            // unreachable/timeout, in two languages
            (38, 7, 113, "Verbindung zu Server »192.0.2.7:16509« nicht möglich: Keine Route zum Zielrechner",
                PeerLogin, "alpha has no route to beta.", "network between the two hosts"),
            (38, 7, 110, "Verbindung zu Server »192.0.2.7:16509« nicht möglich: Die Wartezeit für die Verbindung ist abgelaufen",
                PeerLogin, "alpha gets no answer from beta.", "firewall between the two hosts"),
            (38, 7, 113, "unable to connect to server at '192.0.2.7:16509': No route to host",
                PeerLogin, "alpha has no route to beta.", "network between the two hosts"),
            (38, 7, 110, "unable to connect to server at '192.0.2.7:16509': Connection timed out",
                PeerLogin, "alpha gets no answer from beta.", "firewall between the two hosts"),
            // DNS
            (38, 7, 0, "Unable to resolve address 'rack7' service '16509': Name or service not known",
                PeerLogin, "alpha can't resolve rack7, the name of beta.", "name resolution on alpha"),
            // ssh host key
            (38, 7, 104, "Cannot recv data: Host key verification failed.: Connection reset by peer",
                PeerLogin, "alpha does not know the ssh host key of beta, or it has changed.", "On alpha, log in to beta once"),
            // ssh auth
            (38, 7, 104, "Cannot recv data: root@beta: Permission denied (publickey,password).: Connection reset by peer",
                PeerLogin, "alpha may not log in to beta with ssh.", "authorized keys on beta"),
            // ssh refused/DNS
            (38, 7, 104, "Cannot recv data: ssh: connect to host rack7 port 22: Connection refused: Connection reset by peer",
                PeerLogin, "alpha can't connect to beta: connection refused.", "sshd"),
            (38, 7, 104, "Cannot recv data: ssh: connect to host rack7 port 22: No route to host: Connection reset by peer",
                PeerLogin, "alpha has no route to beta.", "network between the two hosts"),
            (38, 7, 104, "Cannot recv data: ssh: connect to host rack7 port 22: Connection timed out: Connection reset by peer",
                PeerLogin, "alpha gets no answer from beta.", "firewall between the two hosts"),
            (38, 7, 104, "Cannot recv data: ssh: Could not resolve hostname rack7: Name or service not known: Connection reset by peer",
                PeerLogin, "alpha can't resolve rack7, the name of beta.", "reach beta"),
            // SASL/TLS
            (45, 7, 0, "authentication failed: authentication failed",
                PeerLogin, "The login at beta failed.", "that alpha uses there"),
            (9, 7, 0, "operation failed: Certificate failed validation: The certificate hasn't got a known issuer.",
                PeerLogin, "alpha and beta do not accept each other's certificates.", "authority that signed them"),
            (45, 7, 0, "authentication failed: Failed to verify peer's certificate",
                PeerLogin, "alpha and beta do not accept each other's certificates.", "authority that signed them"),
            (1, 7, 0, "internal error: Certificate [session] owner does not match the hostname rack7",
                PeerLogin, "alpha and beta do not accept each other's certificates.", "the names they are for"),
            (1, 7, 0, "internal error: TLS handshake failed: A TLS fatal alert has been received.",
                PeerLogin, "alpha and beta do not accept each other's certificates.", "authority that signed them"),
            // Also: TLS to the daemon not set up; an account that may not use libvirt.
            (38, 7, 2, "Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or directory",
                PeerLogin, "alpha has no TLS certificate to log in to beta with: /etc/pki/CA/cacert.pem is missing.",
                "by ssh"),
            (94, 60, 0, "authentication unavailable: no polkit agent available to authenticate action 'org.libvirt.unix.manage'",
                PeerLogin, "The account that alpha logs in to beta with may not use libvirt there.", "group libvirt on beta"),
            // wrong path / privilege
            (1, 0, 0, "internal error: unexpected qemu URI path '/system', try qemu:///session",
                PeerLogin, "The libvirt daemon of beta is of the other kind: a user's own (session) instead of the system's, or the \
                 reverse.", "settings of beta"),
        ]);
    }

    /// By control flow, and by the port in the error.
    #[test]
    fn only_a_login_by_the_source_is_a_peer_login() {
        let of = |control_flow, words: &str| {
            let plan = engine::MigrationPlan { control_flow, ..plan(Mode::Live) };
            not_migrated("alpha", &plan, CallFailure::Refused(error(38, 7, 111, words)))
        };
        let is_login = |control_flow, words| match of(control_flow, words) {
            engine::NotMigrated::NotBegun(problem) => problem.kind == PeerLogin,
            engine::NotMigrated::Failed(problem) => {
                assert_eq!(problem.kind, HostErrorKind::Refused);
                false
            }
            engine::NotMigrated::Lost(problem) => panic!("{problem}"),
        };
        let daemon = "unable to connect to server at '127.0.0.3:16509': Connection refused";
        let data = "unable to connect to server at '127.0.0.3:50152': Connection refused";
        let data_v6 = "unable to connect to server at '2001:db8::7:49152': Connection refused";
        assert!(is_login(ControlFlow::PeerToPeer, daemon) && is_login(ControlFlow::Tunnelled, daemon));
        assert!(!is_login(ControlFlow::PeerToPeer, data) && !is_login(ControlFlow::PeerToPeer, data_v6));
        assert!(!is_login(ControlFlow::Direct, daemon), "in a direct migration only the console logs in");
    }

    /// A connection that breaks during the migration has errors with the same words and numbers as one that can't be opened.
    #[test]
    fn a_connection_that_breaks_later_is_no_failed_login() {
        let is_login = |int1, words: &str| {
            let failure = CallFailure::Refused(error(38, 7, int1, words));
            matches!(not_migrated("alpha", &plan(Mode::Live), failure), engine::NotMigrated::NotBegun(_))
        };
        assert!(!is_login(110, "Cannot recv data: Connection timed out"));
        assert!(!is_login(113, "Cannot write data: No route to host"));
        assert!(!is_login(113, "Daten können nicht empfangen werden: Keine Route zum Zielrechner"));
        let read = |why| format!("Cannot recv data: Read from remote host rack7: {why}: Connection reset by peer");
        assert!(!is_login(104, &read("Connection timed out")) && !is_login(104, &read("No route to host")));
        for words in
            ["连接服务器‘127.0.0.3:49152’失败", "connexion impossible à « 127.0.0.3:49152 »", "[2001:db8::7]:49152"]
        {
            assert!(!is_login(111, words), "{words}");
            assert!(is_login(111, &words.replace("49152", "16509")), "{words}");
        }
    }
}
