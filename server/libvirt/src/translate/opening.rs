//! Why the console can't connect to a host. Here `{destination}` is `{host}`, too.

use engine::HostErrorKind::{LoginRefused, NotPermitted};
use virt::sys::{VIR_ERR_AUTH_FAILED, VIR_FROM_RPC};

use super::meaning::{Meaning, errno, numbered, saying, system};

const KEY_UNKNOWN: &str = "The ssh host key of {host} is not known, or has changed.";
const LEARN_KEY: &str =
    "As the account that vmferry runs as, log in to {host} once with ssh, and accept the key after comparing it.";

const NAME_UNKNOWN: &str = "{host} does not answer: the name {address} can't be resolved.";
const CORRECT_NAME: &str = "Correct the name, or the name resolution of the machine that vmferry runs on.";

const NOT_ALLOWED: &str = "vmferry may not use the libvirt daemon of {host}.";
const JOIN_GROUP: &str = "Add the account that vmferry runs as to the group libvirt there, and start vmferry again.";

const ACCOUNT_NOT_ALLOWED: &str = "The account that vmferry logs in to {host} as may not use libvirt there.";
const LET_ACCOUNT_JOIN: &str = "Add the account to the group libvirt there (usermod --append --groups libvirt ACCOUNT), or log in as another, such as root.";

const KEY_REFUSED: &str = "{host} does not accept vmferry's ssh key.";
const AUTHORIZE_KEY: &str = "Add the public key to the account's authorized keys on {host}. For root, sshd there may allow no keys at all \
                             (PermitRootLogin).";

const NO_DAEMON: &str = "{host} does not answer: its libvirt daemon does not run.";
const START_DAEMON: &str = "Start the daemon there.";

const NOT_TO_LIBVIRT: &str = "{host} does not answer: the login works, but no libvirt daemon can be reached with it.";
const START_OR_GIVE_A_SHELL: &str = "Start or install the libvirt daemon there. vmferry needs virt-ssh-helper, which comes with it, or nc. If the host \
                                     has them, check whether the account that vmferry logs in as has a login shell.";

const REFUSED: &str = "{host} does not answer: connection refused.";
const START_OR_OPEN: &str =
    "Start the libvirt daemon or sshd there, or open the port that the details name in the host's firewall.";

const NO_ROUTE: &str = "{host} does not answer: there is no route to it.";
const LOOK_AT_NETWORK: &str = "Check whether the host is switched on, and the network between vmferry and the host.";

const NO_ANSWER: &str = "{host} does not answer: the connection timed out.";
const LOOK_AT_FIREWALL: &str =
    "Check whether the host is switched on, and whether a firewall drops the port that the details name.";

const CERTIFICATES_DIFFER: &str = "{host} and vmferry do not accept each other's certificates.";
const COMPARE_CERTIFICATES: &str = "Check the authority that signed them, the names they are for, and their dates.";

/// The first that fits counts.
pub(super) static MEANINGS: &[Meaning] = &[
    saying("unexpected qemu URI path").tell(
        "The libvirt daemon of {host} is of the other kind: a user's own (session) instead of the system's, or the reverse.",
        "Correct the kind of daemon in the settings of {host}.",
    ),
    saying("Host key verification failed").tell(KEY_UNKNOWN, LEARN_KEY),
    saying("SSH HOST KEY VERIFICATION FAILED").tell(KEY_UNKNOWN, LEARN_KEY),
    saying("SSH host key for '{}' ({}) was not accepted").tell(KEY_UNKNOWN, LEARN_KEY),
    // libssh's errors. They are in English, because this process sets no other locale.
    saying("failed to retrieve user response for authentication callback").is(LoginRefused).tell(
        "{host} does not accept this user name and password.",
        "Type them again; they were tried once. If they are right, sshd on {host} may allow this account no passwords (PermitRootLogin, \
         PasswordAuthentication), or ask for more than one: then use a key.",
    ),
    saying("None of the requested authentication methods are supported").is(LoginRefused).tell(
        "{host} does not accept this method of ssh login.",
        "Use another method: sshd there allows no passwords (PasswordAuthentication, KbdInteractiveAuthentication), or no keys \
         (PubkeyAuthentication).",
    ),
    saying("error while opening private key '{file}', wrong passphrase").is(LoginRefused).tell(
        "vmferry can't read its ssh key: the passphrase is wrong.",
        "Correct the passphrase of {file} in the file that vmferry reads it from (key_passphrase_file in vmferry.toml).",
    ),
    saying("no suitable callback authentication callback").is(LoginRefused).tell(
        "vmferry can't read its ssh key: it has a passphrase, and vmferry does not know it.",
        "Give vmferry the passphrase of its own key (key_passphrase_file in vmferry.toml); load a key of the account that it runs as into \
         that account's ssh agent.",
    ),
    saying("error while reading private key '{file}'").is(LoginRefused).tell(
        "vmferry has no ssh key to log in to {host} with: {file} is missing or can't be read.",
        "Set up the key first, or log in with a password.",
    ),
    saying("Access denied for 'none'").is(LoginRefused).tell(
        "vmferry has no ssh key to log in to {host} with.",
        "Make one for the account that vmferry runs as (ssh-keygen), or log in with a password.",
    ),
    saying("Access denied for 'publickey'").is(LoginRefused).tell(KEY_REFUSED, AUTHORIZE_KEY),
    saying("All provided authentication methods with credentials were rejected")
        .is(LoginRefused)
        .tell(KEY_REFUSED, AUTHORIZE_KEY),
    saying("failed to write known_host file '{file}': {reason}").tell(
        "vmferry can't save the ssh host key of {host}: {reason}.",
        "Check the owner and the permissions of {file}.",
    ),
    saying("SSH session handshake failed").tell(
        "{host} does not answer: the ssh handshake failed.",
        "Correct the port if something other than sshd listens there. After wrong passwords, sshd may refuse an address for a while \
         (PerSourcePenalties, fail2ban), and a busy sshd refuses some connections (MaxStartups): try later.",
    ),
    saying("bytes received from server too large, want").tell(
        "{host} does not answer: the login works, but the reply is not libvirt's.",
        "With ssh, check what the account's shell prints at login (.bashrc, .profile): it must not print anything.",
    ),
    saying("Remote channel is closed").tell(NOT_TO_LIBVIRT, START_OR_GIVE_A_SHELL),
    saying("Remote command terminated with non-zero code: 127").tell(
        "{host} does not answer: there is no libvirt on it.",
        "Install the libvirt daemon there: the host has neither virt-ssh-helper, which comes with it, nor nc.",
    ),
    saying("Remote command terminated with non-zero code").tell(NOT_TO_LIBVIRT, START_OR_GIVE_A_SHELL),
    saying("no polkit agent available").is(NotPermitted).tell(ACCOUNT_NOT_ALLOWED, LET_ACCOUNT_JOIN),
    saying("access denied by policy").is(NotPermitted).tell(ACCOUNT_NOT_ALLOWED, LET_ACCOUNT_JOIN),
    saying("Permission denied (").tell(
        "{host} does not accept vmferry's ssh key.",
        "Add the public key of the account that vmferry runs as to the authorized keys on {host}.",
    ),
    saying("Could not resolve hostname {address}:").tell(NAME_UNKNOWN, CORRECT_NAME),
    saying("Unable to resolve address '{address}'").tell(NAME_UNKNOWN, CORRECT_NAME),
    saying("Cannot read {kind} '{file}': No such file").tell(
        "vmferry has no TLS certificate to log in to {host} with: {file} is missing.",
        "Install a certificate for libvirt's clients on the machine that vmferry runs on, or use ssh.",
    ),
    saying("Failed to connect socket to '{}': Permission denied").is(NotPermitted).tell(NOT_ALLOWED, JOIN_GROUP),
    system(VIR_FROM_RPC, errno::NOT_ALLOWED).is(NotPermitted).tell(NOT_ALLOWED, JOIN_GROUP),
    saying("Failed to connect socket to '{}'").tell(NO_DAEMON, START_DAEMON),
    system(VIR_FROM_RPC, errno::NOT_THERE).tell(NO_DAEMON, START_DAEMON),
    saying("Connection refused").tell(REFUSED, START_OR_OPEN),
    system(VIR_FROM_RPC, errno::REFUSED).tell(REFUSED, START_OR_OPEN),
    saying("No route to host").tell(NO_ROUTE, LOOK_AT_NETWORK),
    system(VIR_FROM_RPC, errno::NO_ROUTE).tell(NO_ROUTE, LOOK_AT_NETWORK),
    saying("Connection timed out").tell(NO_ANSWER, LOOK_AT_FIREWALL),
    system(VIR_FROM_RPC, errno::TIMED_OUT).tell(NO_ANSWER, LOOK_AT_FIREWALL),
    saying("Certificate").tell(CERTIFICATES_DIFFER, COMPARE_CERTIFICATES),
    saying("certificate").tell(CERTIFICATES_DIFFER, COMPARE_CERTIFICATES),
    saying("TLS handshake failed").tell(CERTIFICATES_DIFFER, COMPARE_CERTIFICATES),
    numbered(VIR_ERR_AUTH_FAILED).tell(
        "{host} does not accept vmferry's login.",
        "Check which accounts or certificates its libvirt daemon accepts.",
    ),
];

#[cfg(test)]
mod tests {
    use engine::HostErrorKind::{LoginRefused, NotPermitted, Unreachable};

    use crate::translate::testing::check;

    #[test]
    #[rustfmt::skip]
    fn every_row_has_its_words() {
        check(super::MEANINGS, &[
            // dst daemon port refused, in two languages
            (38, 7, 111, "unable to connect to server at '192.0.2.7:16509': Connection refused",
                Unreachable, "alpha does not answer: connection refused.", "Start the libvirt daemon"),
            (38, 7, 111, "Verbindung zum Server fehlgeschlagen: Verbindungsaufbau abgelehnt",
                Unreachable, "alpha does not answer: connection refused.", "Start the libvirt daemon"),
            // unreachable/timeout, in two languages
            (38, 7, 113, "Verbindung zum Server fehlgeschlagen: Keine Route zum Zielrechner",
                Unreachable, "alpha does not answer: there is no route to it.", "switched on"),
            (38, 7, 110, "Verbindung zum Server fehlgeschlagen: Die Wartezeit für die Verbindung ist abgelaufen",
                Unreachable, "alpha does not answer: the connection timed out.", "firewall drops"),
            (38, 7, 113, "unable to connect to server at '192.0.2.7:16514': No route to host",
                Unreachable, "alpha does not answer: there is no route to it.", "switched on"),
            (38, 7, 110, "unable to connect to server at '192.0.2.7:16514': Connection timed out",
                Unreachable, "alpha does not answer: the connection timed out.", "firewall drops"),
            // DNS
            (38, 7, 0, "Unable to resolve address 'rack7' service '16509': Name or service not known",
                Unreachable, "alpha does not answer: the name rack7 can't be resolved.", "Correct the name"),
            // ssh host key
            (38, 7, 104, "Cannot recv data: Host key verification failed.: Connection reset by peer",
                Unreachable, "The ssh host key of alpha is not known, or has changed.", "accept the key after comparing"),
            // ssh auth
            (38, 7, 104, "Cannot recv data: root@rack7: Permission denied (publickey,password).: Connection reset by peer",
                Unreachable, "alpha does not accept vmferry's ssh key.", "authorized keys on alpha"),
            // ssh refused/DNS
            (38, 7, 104, "Cannot recv data: ssh: connect to host rack7 port 22: Connection refused: Connection reset by peer",
                Unreachable, "alpha does not answer: connection refused.", "Start the libvirt daemon"),
            (38, 7, 104, "Cannot recv data: ssh: Could not resolve hostname rack7: Name or service not known: Connection reset by peer",
                Unreachable, "alpha does not answer: the name rack7 can't be resolved.", "Correct the name"),
            // libssh(2) auth
            (45, 66, 0, "authentication failed: All provided authentication methods with credentials were rejected by the server",
                LoginRefused, "alpha does not accept vmferry's ssh key.", "authorized keys on alpha"),
            (98, 66, 0, "libssh transport error: failed to authenticate: Access denied for 'publickey'. Authentication that can continue: \
                 publickey,password",
                LoginRefused, "alpha does not accept vmferry's ssh key.", "authorized keys on alpha"),
            (98, 66, 0, "libssh transport error: failed to authenticate: Access denied for 'none'. Authentication that can continue: \
                 publickey,password",
                LoginRefused, "vmferry has no ssh key to log in to alpha with.", "ssh-keygen"),
            (45, 66, 0, "authentication failed: error while reading private key '/var/lib/vmferry/console_key'",
                LoginRefused, "vmferry has no ssh key to log in to alpha with: /var/lib/vmferry/console_key is missing or can't be read.",
                "Set up the key"),
            (45, 66, 0, "authentication failed: error while opening private key '/var/lib/vmferry/console_key', wrong passphrase?",
                LoginRefused, "vmferry can't read its ssh key: the passphrase is wrong.", "passphrase of /var/lib/vmferry/console_key"),
            (84, 46, 0, "Operation not supported: no suitable callback authentication callback was found",
                LoginRefused, "vmferry can't read its ssh key: it has a passphrase, and vmferry does not know it.", "key_passphrase_file"),
            // wrong password, by either method
            (9, 46, 0, "operation failed: failed to retrieve user response for authentication callback",
                LoginRefused, "alpha does not accept this user name and password.", "PermitRootLogin"),
            (45, 66, 0, "authentication failed: None of the requested authentication methods are supported by the server",
                LoginRefused, "alpha does not accept this method of ssh login.", "Use another"),
            (98, 66, 0, "libssh transport error: failed to write known_host file '/k/known_hosts': Couldn't open known_hosts file \
                 /k/known_hosts for appending: Permission denied",
                Unreachable, "vmferry can't save the ssh host key of alpha: Couldn't open known_hosts file /k/known_hosts for \
                 appending: Permission denied.", "permissions of /k/known_hosts"),
            // libssh does not pass on what virt-ssh-helper printed.
            (98, 66, 0, "libssh transport error: Remote command terminated with non-zero code: 1",
                Unreachable, "alpha does not answer: the login works, but no libvirt daemon can be reached with it.", "Start or install"),
            (98, 66, 0, "libssh transport error: Remote command terminated with non-zero code: 127",
                Unreachable, "alpha does not answer: there is no libvirt on it.", "virt-ssh-helper"),
            (98, 66, 0, "libssh transport error: write failed: Remote channel is closed",
                Unreachable, "alpha does not answer: the login works, but no libvirt daemon can be reached with it.", "Start or install"),
            (1, 7, 0, "packet 1013071476 bytes received from server too large, want 33554432",
                Unreachable, "alpha does not answer: the login works, but the reply is not libvirt's.", ".bashrc"),
            // No sshd at that port, or sshd refuses vmferry's address.
            (5, 0, 0, "no connection driver available for SSH session handshake failed: Socket error: disconnected",
                Unreachable, "alpha does not answer: the ssh handshake failed.", "PerSourcePenalties"),
            // Hosts where polkit decides who may use libvirt.
            (94, 60, 0, "authentication unavailable: no polkit agent available to authenticate action 'org.libvirt.unix.manage'",
                NotPermitted, "The account that vmferry logs in to alpha as may not use libvirt there.", "group libvirt"),
            (45, 60, 0, "authentication failed: access denied by policy",
                NotPermitted, "The account that vmferry logs in to alpha as may not use libvirt there.", "group libvirt"),
            // libssh host key changed / unknown
            (45, 66, 0, "authentication failed: !!! SSH HOST KEY VERIFICATION FAILED !!!: Identity of host 'rack7:22' differs from stored \
                 identity. Please verify the new host key 'SHA256:1' to avoid possible man in the middle attack.",
                Unreachable, "The ssh host key of alpha is not known, or has changed.", "log in to alpha once"),
            (98, 66, 0, "libssh transport error: SSH host key for 'rack7' (SHA256:1) was not accepted",
                Unreachable, "The ssh host key of alpha is not known, or has changed.", "log in to alpha once"),
            // SASL/TLS
            (45, 7, 0, "authentication failed: authentication failed",
                Unreachable, "alpha does not accept vmferry's login.", "accounts or certificates"),
            (9, 7, 0, "operation failed: Certificate failed validation: The certificate hasn't got a known issuer.",
                Unreachable, "alpha and vmferry do not accept each other's certificates.", "authority that signed them"),
            (45, 7, 0, "authentication failed: Failed to verify peer's certificate",
                Unreachable, "alpha and vmferry do not accept each other's certificates.", "the names they are for"),
            (1, 7, 0, "internal error: TLS handshake failed: A TLS fatal alert has been received.",
                Unreachable, "alpha and vmferry do not accept each other's certificates.", "their dates"),
            // Also: TLS not set up.
            (38, 7, 2, "Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or directory",
                Unreachable, "vmferry has no TLS certificate to log in to alpha with: /etc/pki/CA/cacert.pem is missing.",
                "Install a certificate"),
            // wrong path / privilege
            (1, 0, 0, "internal error: unexpected qemu URI path '/system', try qemu:///session",
                Unreachable, "The libvirt daemon of alpha is of the other kind: a user's own (session) instead of the system's, \
                 or the reverse.", "kind of daemon"),
            // Also: the local daemon's socket.
            (38, 7, 13, "Failed to connect socket to '/var/run/libvirt/libvirt-sock': Permission denied",
                NotPermitted, "vmferry may not use the libvirt daemon of alpha.", "group libvirt"),
            (38, 7, 13, "Verbindung mit Socket '/var/run/libvirt/libvirt-sock' fehlgeschlagen: Keine Berechtigung",
                NotPermitted, "vmferry may not use the libvirt daemon of alpha.", "group libvirt"),
            (38, 7, 2, "Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or directory",
                Unreachable, "alpha does not answer: its libvirt daemon does not run.", "Start the daemon"),
            (38, 7, 2, "Verbindung mit Socket '/var/run/libvirt/libvirt-sock' fehlgeschlagen: Datei oder Verzeichnis nicht gefunden",
                Unreachable, "alpha does not answer: its libvirt daemon does not run.", "Start the daemon"),
        ]);
    }
}
