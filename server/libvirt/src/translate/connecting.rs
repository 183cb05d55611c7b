//! What stands in the way between the source and the destination of a migration.

use virt::sys::{VIR_ERR_AUTH_FAILED, VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC};

use super::meaning::{Meaning, errno, numbered, saying, system};

const KEY_UNKNOWN: &str = "{host} does not know the ssh host key of {destination}, or it has changed.";
const LEARN_KEY: &str = "On {host}, log in to {destination} once with ssh as the account that libvirt runs as (root), and accept \
                         the key after comparing it.";

const NAME_UNKNOWN: &str = "{host} knows no address for {address}, the name of {destination}.";
const CORRECT_NAME: &str =
    "Correct the address under which other hosts reach {destination}, or the name service on {host}.";

const NO_DATA: &str = "{host} can't send the memory to {destination}: {address}, port 49{port}: {reason}.";
const OPEN_PORTS: &str = "Open the ports 49152 to 49215 in the firewall of {destination}: they carry memory and disks.";

const REFUSED: &str = "{host} can't connect to {destination}: connection refused.";
const START_OR_OPEN: &str = "On {destination}, start what listens on the port named in the details (libvirt's daemon, or sshd), or \
                             open it in the firewall.";

const NO_ROUTE: &str = "{host} has no route to {destination}.";
const LOOK_AT_NETWORK: &str =
    "Look at the network between the two hosts, and at the address under which other hosts reach {destination}.";

const NO_ANSWER: &str = "{host} gets no answer from {destination}.";
const LOOK_AT_FIREWALL: &str = "Look whether a firewall between the two hosts drops the port named in the details.";

const CERTIFICATES_DIFFER: &str = "The certificates of {host} and {destination} do not fit together.";
const COMPARE_CERTIFICATES: &str = "Look at the authority that signed them, the names they are for, and their dates.";

/// The first that fits counts.
pub(super) static MEANINGS: &[Meaning] = &[
    saying("Host key verification failed").tell(KEY_UNKNOWN, LEARN_KEY),
    saying("SSH HOST KEY VERIFICATION FAILED").tell(KEY_UNKNOWN, LEARN_KEY),
    saying("SSH host key for '{}' ({}) was not accepted").tell(KEY_UNKNOWN, LEARN_KEY),
    numbered(VIR_ERR_SYSTEM_ERROR).and_says("Permission denied (").tell(
        "{host} may not log in to {destination} with ssh.",
        "Add the public key of the account that libvirt runs as on {host} (root) to the authorized keys on {destination}.",
    ),
    saying("Could not resolve hostname {address}:").tell(NAME_UNKNOWN, CORRECT_NAME),
    saying("Unable to resolve address '{address}' service").tell(NAME_UNKNOWN, CORRECT_NAME),
    // The ports for the data are 49152 to 49215 unless somebody changed them in qemu.conf; a daemon listens elsewhere.
    saying("unable to connect to server at '{address}:49{port}': {reason}").tell(NO_DATA, OPEN_PORTS),
    numbered(VIR_ERR_SYSTEM_ERROR).and_says("Connection refused").tell(REFUSED, START_OR_OPEN),
    system(VIR_FROM_RPC, errno::REFUSED).tell(REFUSED, START_OR_OPEN),
    numbered(VIR_ERR_SYSTEM_ERROR).and_says("No route to host").tell(NO_ROUTE, LOOK_AT_NETWORK),
    system(VIR_FROM_RPC, errno::NO_ROUTE).tell(NO_ROUTE, LOOK_AT_NETWORK),
    numbered(VIR_ERR_SYSTEM_ERROR).and_says("Connection timed out").tell(NO_ANSWER, LOOK_AT_FIREWALL),
    system(VIR_FROM_RPC, errno::TIMED_OUT).tell(NO_ANSWER, LOOK_AT_FIREWALL),
    saying("this libvirtd instance allows migration only with VIR_MIGRATE_TLS").tell(
        "{host} or {destination} allows encrypted migrations only (migrate_tls_force in qemu.conf).",
        "vmferry can't encrypt migrations yet: take the setting back on both hosts, or choose others.",
    ),
    saying("Cannot read {kind} '{file}': No such file").tell(
        "{host} has no TLS certificate to log in to {destination} with: {file} is missing.",
        "Install the certificates for libvirt on both hosts, or let hosts log in by ssh (peer_transport in vmferry.toml).",
    ),
    saying("Unable to access credentials {file}: No such file").tell(
        "{host} or {destination} has no certificate to encrypt migrations with: {file} is missing.",
        "Install the certificates for QEMU on both hosts.",
    ),
    saying("Certificate failed validation").tell(CERTIFICATES_DIFFER, COMPARE_CERTIFICATES),
    saying("verify peer's certificate").tell(CERTIFICATES_DIFFER, COMPARE_CERTIFICATES),
    saying("owner does not match the hostname").tell(CERTIFICATES_DIFFER, COMPARE_CERTIFICATES),
    saying("TLS handshake failed").tell(CERTIFICATES_DIFFER, COMPARE_CERTIFICATES),
    numbered(VIR_ERR_AUTH_FAILED).tell(
        "The login at {destination} failed.",
        "Look at the accounts, keys or certificates that {host} uses there.",
    ),
    saying("unexpected qemu URI path").tell(
        "The libvirt daemon of {destination} is of the other kind: a user's own (session) instead of the system's, or the reverse.",
        "Correct the kind of daemon in the settings of {destination}.",
    ),
    saying("client socket is closed").tell(
        "The libvirt daemon of {destination} went away during the migration.",
        "Look at the daemon's log on {destination}, then try again.",
    ),
    saying("Lost connection to destination host").tell(
        "{host} lost the connection to {destination} during the migration.",
        "Look at the network between the two hosts, and whether the daemon of {destination} still runs; then try again.",
    ),
];

#[cfg(test)]
mod tests {
    use model::Code::Hypervisor;

    use crate::translate::testing::check;

    #[test]
    #[rustfmt::skip]
    fn every_row_has_its_words() {
        check(super::MEANINGS, &[
            // dst daemon port refused, in two languages
            (38, 7, 111, "unable to connect to server at '127.0.0.9:16509': Connection refused",
                Hypervisor, "alpha can't connect to beta: connection refused.", "libvirt's daemon, or sshd"),
            (38, 7, 111, "Verbindung zum Server fehlgeschlagen: Verbindungsaufbau abgelehnt",
                Hypervisor, "alpha can't connect to beta: connection refused.", "On beta, start what listens"),
            // unreachable/timeout, in two languages
            (38, 7, 113, "Verbindung zum Server fehlgeschlagen: Keine Route zum Zielrechner",
                Hypervisor, "alpha has no route to beta.", "network between the two hosts"),
            (38, 7, 110, "Verbindung zum Server fehlgeschlagen: Die Wartezeit für die Verbindung ist abgelaufen",
                Hypervisor, "alpha gets no answer from beta.", "firewall between the two hosts"),
            (38, 7, 113, "unable to connect to server at '192.0.2.7:16509': No route to host",
                Hypervisor, "alpha has no route to beta.", "network between the two hosts"),
            (38, 7, 110, "unable to connect to server at '192.0.2.7:16509': Connection timed out",
                Hypervisor, "alpha gets no answer from beta.", "firewall between the two hosts"),
            // DNS
            (38, 7, 0, "Unable to resolve address 'rack7' service '16509': Name or service not known",
                Hypervisor, "alpha knows no address for rack7, the name of beta.", "name service on alpha"),
            // migration data port blocked
            (38, 7, 111, "unable to connect to server at '127.0.0.3:49152': Connection refused",
                Hypervisor, "alpha can't send the memory to beta: 127.0.0.3, port 49152: Connection refused.", "49152 to 49215"),
            (38, 7, 110, "unable to connect to server at '127.0.0.3:49215': Connection timed out",
                Hypervisor, "alpha can't send the memory to beta: 127.0.0.3, port 49215: Connection timed out.", "firewall of beta"),
            // ssh host key
            (38, 7, 104, "Cannot recv data: Host key verification failed.: Connection reset by peer",
                Hypervisor, "alpha does not know the ssh host key of beta, or it has changed.", "On alpha, log in to beta once"),
            // ssh auth
            (38, 7, 104, "Cannot recv data: root@beta: Permission denied (publickey,password).: Connection reset by peer",
                Hypervisor, "alpha may not log in to beta with ssh.", "authorized keys on beta"),
            // ssh refused/DNS
            (38, 7, 104, "Cannot recv data: ssh: connect to host rack7 port 22: Connection refused: Connection reset by peer",
                Hypervisor, "alpha can't connect to beta: connection refused.", "sshd"),
            (38, 7, 104, "Cannot recv data: ssh: Could not resolve hostname rack7: Name or service not known: Connection reset by peer",
                Hypervisor, "alpha knows no address for rack7, the name of beta.", "reach beta"),
            // libssh(2) auth
            (45, 66, 0, "authentication failed: All provided authentication methods with credentials were rejected by the server",
                Hypervisor, "The login at beta failed.", "that alpha uses there"),
            // libssh host key changed / unknown
            (45, 66, 0, "authentication failed: !!! SSH HOST KEY VERIFICATION FAILED !!!: Identity of host 'rack7:22' differs from stored \
                 identity. Please verify the new host key 'SHA256:1' to avoid possible man in the middle attack.",
                Hypervisor, "alpha does not know the ssh host key of beta, or it has changed.", "after comparing it"),
            (98, 66, 0, "libssh transport error: SSH host key for 'rack7' (SHA256:1) was not accepted",
                Hypervisor, "alpha does not know the ssh host key of beta, or it has changed.", "after comparing it"),
            // SASL/TLS
            (45, 7, 0, "authentication failed: authentication failed",
                Hypervisor, "The login at beta failed.", "that alpha uses there"),
            (9, 7, 0, "operation failed: Certificate failed validation: The certificate hasn't got a known issuer.",
                Hypervisor, "The certificates of alpha and beta do not fit together.", "authority that signed them"),
            (45, 7, 0, "authentication failed: Failed to verify peer's certificate",
                Hypervisor, "The certificates of alpha and beta do not fit together.", "authority that signed them"),
            (1, 7, 0, "internal error: Certificate [session] owner does not match the hostname rack7",
                Hypervisor, "The certificates of alpha and beta do not fit together.", "the names they are for"),
            (1, 7, 0, "internal error: TLS handshake failed: A TLS fatal alert has been received.",
                Hypervisor, "The certificates of alpha and beta do not fit together.", "authority that signed them"),
            // Not in the list: TLS to the daemon not set up.
            (38, 7, 2, "Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or directory",
                Hypervisor, "alpha has no TLS certificate to log in to beta with: /etc/pki/CA/cacert.pem is missing.",
                "peer_transport"),
            // TLS migration not set up
            (1, 10, 0, "internal error: unable to execute QEMU command 'object-add': Unable to access credentials \
                 /etc/pki/qemu/ca-cert.pem: No such file or directory",
                Hypervisor, "alpha or beta has no certificate to encrypt migrations with: /etc/pki/qemu/ca-cert.pem is missing.",
                "certificates for QEMU"),
            // TLS forced
            (55, 10, 0, "Requested operation is not valid: this libvirtd instance allows migration only with VIR_MIGRATE_TLS flag",
                Hypervisor, "alpha or beta allows encrypted migrations only (migrate_tls_force in qemu.conf).", "setting"),
            // wrong path / privilege
            (1, 0, 0, "internal error: unexpected qemu URI path '/system', try qemu:///session",
                Hypervisor, "The libvirt daemon of beta is of the other kind: a user's own (session) instead of the system's, or the \
                 reverse.", "settings of beta"),
            // dst died
            (1, 7, 0, "internal error: client socket is closed",
                Hypervisor, "The libvirt daemon of beta went away during the migration.", "log on beta"),
            (9, 10, 0, "operation failed: Lost connection to destination host",
                Hypervisor, "alpha lost the connection to beta during the migration.", "try again"),
        ]);
    }
}
