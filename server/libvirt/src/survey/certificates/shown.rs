//! The certificates that a host's page shows, with their end.

use std::{fs, path::PathBuf};

use engine::Certificates;
use model::HostCertificate;
use x509_parser::{
    pem::Pem,
    prelude::{FromDer, X509Certificate},
};

use super::judge;

/// How many files QEMU needs.
const ALL: usize = 5;

/// Whose certificate it is.
const OF_QEMU: &str = "QEMU on the host, to encrypt migrations";
const OF_HOST: &str = "libvirt on the host";
const OF_CONSOLE: &str = "this console, to log in at the host";
const OF_AUTHORITY: &str = "the authority that this console trusts";

/// Those that QEMU would use; none if that can't be told.
pub(crate) fn of_qemu(found: Option<Certificates>) -> HostCertificate {
    let none = HostCertificate { of: OF_QEMU, names: Vec::new(), until_ms: None, note: None };
    let note = |note: String| HostCertificate { note: Some(note), ..none.clone() };
    match found {
        Some(Certificates::Usable { names, until_ms, .. }) => {
            HostCertificate { names, until_ms: Some(until_ms), ..none.clone() }
        }
        Some(Certificates::Missing(files)) => note(match files.len() {
            ALL => "There are none in /etc/pki/qemu: migrations can't be encrypted by QEMU.".to_owned(),
            _ => format!("Missing: {}.", files.join(", ")),
        }),
        Some(Certificates::Unusable(why)) => note(why),
        None => note("libvirt does not let vmferry look at them.".to_owned()),
    }
}

/// The one that libvirt's daemon shows to who connects, in DER, or why it could not be seen.
pub(crate) fn of_host(seen: Result<Vec<u8>, String>) -> HostCertificate {
    match seen {
        Ok(der) => match X509Certificate::from_der(&der) {
            Ok((_, certificate)) => described(OF_HOST, &certificate),
            Err(error) => unknown(OF_HOST, &format!("it can't be read: {error}")),
        },
        Err(why) => unknown(OF_HOST, &why),
    }
}

/// The console's own, which libvirt's client in this process uses, and the authority it trusts.
pub(crate) fn of_console() -> Vec<HostCertificate> {
    [
        (OF_CONSOLE, "clientcert.pem", "/etc/pki/libvirt/clientcert.pem"),
        (OF_AUTHORITY, "cacert.pem", "/etc/pki/CA/cacert.pem"),
    ]
    .map(|(of, name, for_all)| in_file(of, &place(name, for_all)))
    .into()
}

/// As libvirt looks: an account that is not root may have its own (`virNetTLSContextLocateCredentials`).
fn place(name: &str, for_all: &str) -> PathBuf {
    let own = std::env::home_dir().map(|home| home.join(".pki/libvirt").join(name));
    let is_root = nix::unistd::geteuid().is_root();
    own.filter(|own| !is_root && own.exists()).unwrap_or_else(|| for_all.into())
}

fn in_file(of: &'static str, path: &PathBuf) -> HostCertificate {
    let file = match fs::read(path) {
        Ok(file) => file,
        Err(error) => return unknown(of, &format!("{}: {error}", path.display())),
    };
    let pem = Pem::iter_from_buffer(&file).next().and_then(Result::ok);
    match pem.as_ref().map(Pem::parse_x509) {
        Some(Ok(certificate)) => described(of, &certificate),
        _ => unknown(of, &format!("{} does not contain a certificate", path.display())),
    }
}

fn described(of: &'static str, certificate: &X509Certificate<'_>) -> HostCertificate {
    let until = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0);
    HostCertificate { of, names: judge::names(certificate), until_ms: Some(until.saturating_mul(1000)), note: None }
}

fn unknown(of: &'static str, why: &str) -> HostCertificate {
    HostCertificate { of, names: Vec::new(), until_ms: None, note: Some(format!("Not known: {why}.")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_says_for_whom_it_is_and_until_when() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["alpha.example.org".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        let expected = HostCertificate {
            of: OF_HOST,
            names: vec!["alpha.example.org".to_owned()],
            until_ms: Some(1_893_456_000_000),
            note: None,
        };
        assert_eq!(of_host(Ok(certificate.der().to_vec())), expected);
        assert!(of_host(Ok(b"nothing".to_vec())).note.is_some());
        let silent = of_host(Err("it does not answer".to_owned()));
        assert_eq!((silent.until_ms, silent.note.as_deref()), (None, Some("Not known: it does not answer.")));
    }

    #[test]
    fn why_qemus_are_not_known_is_told() {
        let missing = of_qemu(Some(Certificates::Missing(vec!["/etc/pki/qemu/ca-cert.pem".to_owned()])));
        assert_eq!(missing.note.as_deref(), Some("Missing: /etc/pki/qemu/ca-cert.pem."));
        let none = of_qemu(Some(Certificates::Missing(vec![String::new(); ALL])));
        assert!(none.note.is_some_and(|note| note.starts_with("There are none")));
        assert!(of_qemu(None).note.is_some());
        let usable = Certificates::Usable { authority: String::new(), names: vec!["alpha".to_owned()], until_ms: 7 };
        assert_eq!(of_qemu(Some(usable)).until_ms, Some(7));
    }
}
