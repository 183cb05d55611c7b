//! Why the data of a migration can't be encrypted: errors of libvirt and QEMU about certificates.

use super::meaning::{Meaning, saying};

const MAKE_NEW: &str = "Put certificates for QEMU on both hosts that one authority signed: `vmferry pki` makes them. Or move the VM \
                        without encryption.";

const NO_FILE: &str = "{host} or {destination} has no certificate to encrypt migrations with: {file} is missing.";

const ENDED: &str = "The certificate {file} of {host} or {destination} has expired.";
const TOO_EARLY: &str = "The certificate {file} of {host} or {destination} is not valid yet.";
const LOOK_AT_CLOCKS: &str = "Check the clocks of both hosts, or make new certificates: `vmferry pki` does.";

const NOT_NAMED: &str = "The certificate of {destination} does not name {name}, where {host} sends the data to.";
const NAME_IT: &str = "Make a certificate for {destination} that names {name} (`vmferry pki` does), or correct the address under which \
                       other hosts reach {destination}.";

const NO_CLIENT: &str = "{destination} did not accept the certificate of {host}, or got none.";

/// The first that fits counts.
pub(super) static MEANINGS: &[Meaning] = &[
    saying("this libvirtd instance allows migration only with VIR_MIGRATE_TLS").tell(
        "{host} or {destination} allows encrypted migrations only (migrate_tls_force in qemu.conf).",
        "Encrypt the migration: both hosts need certificates for QEMU, which `vmferry pki` makes.",
    ),
    saying("Unable to access credentials {file}: No such file").tell(NO_FILE, MAKE_NEW),
    saying("host migration TLS directory not configured")
        .tell("{host} or {destination} has no directory of certificates for migrations.", MAKE_NEW),
    saying("Unable to access credentials {file}: Permission denied").tell(
        "QEMU on {host} or {destination} may not read {file}.",
        "Let the account of QEMU read the file; a key should be readable for that account only.",
    ),
    saying("Cannot load certificate '{file}' & key '{key}'").tell(
        "QEMU on {host} or {destination} can't use the certificate {file} with its key, {key}.",
        "Check whether the two belong together, and whether the account of QEMU may read them.",
    ),
    saying(" certificate {file} has expired").tell(ENDED, MAKE_NEW),
    saying(" certificate {file} is not yet active").tell(TOO_EARLY, LOOK_AT_CLOCKS),
    saying("Our own certificate {file} failed validation against {authority}: {reason}").tell(
        "The certificate {file} of {host} or {destination} was not signed by the authority next to it: {reason}.",
        MAKE_NEW,
    ),
    saying("Certificate does not match the hostname {name}. Message from").tell(NOT_NAMED, NAME_IT),
    saying("Certificate does not match the hostname {name}").tell(NOT_NAMED, NAME_IT),
    saying("The certificate hasn't got a known issuer")
        .tell("{host} does not know the authority that signed the certificate of {destination}.", MAKE_NEW),
    saying("The certificate has been revoked").tell("The certificate of {destination} has been revoked.", MAKE_NEW),
    saying("Certificate failed validation").tell(
        "{host} does not accept the certificate of {destination}.",
        "Check the authority that signed it, the names it is for, and its dates.",
    ),
    saying("The certificate is not trusted").tell(
        "{host} does not accept the certificate of {destination}.",
        "Check the authority that signed it, the names it is for, and its dates.",
    ),
    saying("Cannot read from TLS channel").tell(NO_CLIENT, MAKE_NEW),
    saying("TLS handshake failed").tell(NO_CLIENT, MAKE_NEW),
];

#[cfg(test)]
mod tests {
    use engine::HostErrorKind::Refused;

    use crate::translate::testing::check;

    #[test]
    #[rustfmt::skip]
    fn every_row_has_its_words() {
        check(super::MEANINGS, &[
            // TLS migration not set up
            (1, 10, 0, "internal error: unable to execute QEMU command 'object-add': Unable to access credentials \
                 /etc/pki/qemu/ca-cert.pem: No such file or directory",
                Refused, "alpha or beta has no certificate to encrypt migrations with: /etc/pki/qemu/ca-cert.pem is missing.",
                "`vmferry pki`"),
            (55, 10, 0, "Requested operation is not valid: host migration TLS directory not configured",
                Refused, "alpha or beta has no directory of certificates for migrations.", "`vmferry pki`"),
            (1, 10, 0, "internal error: unable to execute QEMU command 'object-add': Unable to access credentials \
                 /etc/pki/qemu/server-key.pem: Permission denied",
                Refused, "QEMU on alpha or beta may not read /etc/pki/qemu/server-key.pem.", "account of QEMU"),
            (1, 10, 0, "internal error: unable to execute QEMU command 'object-add': Cannot load certificate \
                 '/etc/pki/qemu/server-cert.pem' & key '/etc/pki/qemu/server-key.pem': Error while reading file.",
                Refused, "QEMU on alpha or beta can't use the certificate /etc/pki/qemu/server-cert.pem with its key, \
                 /etc/pki/qemu/server-key.pem.", "belong together"),
            // TLS forced
            (55, 10, 0, "Requested operation is not valid: this libvirtd instance allows migration only with VIR_MIGRATE_TLS flag",
                Refused, "alpha or beta allows encrypted migrations only (migrate_tls_force in qemu.conf).", "Encrypt the migration"),
            // Dates, authorities, names
            (1, 10, 0, "internal error: unable to execute QEMU command 'object-add': The server certificate \
                 /etc/pki/qemu/server-cert.pem has expired",
                Refused, "The certificate /etc/pki/qemu/server-cert.pem of alpha or beta has expired.", "`vmferry pki`"),
            (1, 10, 0, "internal error: unable to execute QEMU command 'object-add': The CA certificate \
                 /etc/pki/qemu/ca-cert.pem is not yet active",
                Refused, "The certificate /etc/pki/qemu/ca-cert.pem of alpha or beta is not valid yet.", "clocks"),
            (1, 10, 0, "internal error: unable to execute QEMU command 'object-add': Our own certificate \
                 /etc/pki/qemu/server-cert.pem failed validation against /etc/pki/qemu/ca-cert.pem: The certificate hasn't got a \
                 known issuer",
                Refused, "The certificate /etc/pki/qemu/server-cert.pem of alpha or beta was not signed by the authority next to it: \
                 The certificate hasn't got a known issuer.", "one authority"),
            (9, 10, 0, "operation failed: migration failed. Message from the source host: operation failed: job 'migration out' failed: \
                 Certificate does not match the hostname 127.0.0.3. Message from the destination host: operation failed: job \
                 'migration in' failed: load of migration failed: Invalid argument",
                Refused, "The certificate of beta does not name 127.0.0.3, where alpha sends the data to.", "names 127.0.0.3"),
            (9, 10, 0, "operation failed: job 'migration out' failed: Certificate does not match the hostname rack7",
                Refused, "The certificate of beta does not name rack7, where alpha sends the data to.", "names rack7"),
            (9, 10, 0, "operation failed: job 'migration out' failed: The certificate hasn't got a known issuer",
                Refused, "alpha does not know the authority that signed the certificate of beta.", "`vmferry pki`"),
            (9, 10, 0, "operation failed: job 'migration out' failed: The certificate has been revoked",
                Refused, "The certificate of beta has been revoked.", "`vmferry pki`"),
            (9, 10, 0, "operation failed: job 'migration out' failed: Certificate failed validation: no reason",
                Refused, "alpha does not accept the certificate of beta.", "authority"),
            (9, 10, 0, "operation failed: job 'migration out' failed: The certificate is not trusted",
                Refused, "alpha does not accept the certificate of beta.", "authority"),
            // The source has no certificate of its own
            (9, 10, 0, "operation failed: job 'migration out' failed: Cannot read from TLS channel: The TLS connection was \
                 non-properly terminated.",
                Refused, "beta did not accept the certificate of alpha, or got none.", "`vmferry pki`"),
            (9, 10, 0, "operation failed: job 'migration out' failed: TLS handshake failed: A TLS fatal alert has been received.",
                Refused, "beta did not accept the certificate of alpha, or got none.", "`vmferry pki`"),
        ]);
    }
}
