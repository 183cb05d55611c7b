//! An authority: a certificate that hosts trust, and the key that signs theirs.

use std::{fs, path::Path, time::Duration};

use engine::Address;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType,
};
use time::OffsetDateTime;
use x509_parser::{parse_x509_certificate, pem::parse_x509_pem};

use super::{PkiError, write};

const DAY: Duration = Duration::from_hours(24);
/// How long an authority is valid: ten years, about as long as the machines that trust it.
pub const AUTHORITY_VALID: Duration = Duration::from_hours(24 * 3_650);
/// How long a host's certificates are valid: two years, or until their authority ends.
pub const HOST_VALID: Duration = Duration::from_hours(24 * 730);
/// An authority that expires within thirty days signs nothing more.
pub(super) const SPARE: Duration = Duration::from_hours(24 * 30);

/// The purpose of a certificate. libvirt and QEMU need one for each side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Server,
    Client,
}

/// A certificate and its key, in PEM.
pub(super) struct Signed {
    pub(super) certificate: String,
    pub(super) key: String,
}

pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    not_after: OffsetDateTime,
}

impl Authority {
    /// The authority of this name in a directory, made if it is not there.
    pub(super) fn open(directory: &Path, name: &str, now: OffsetDateTime) -> Result<Self, PkiError> {
        let certificate = directory.join(format!("{name}.pem"));
        let key = directory.join(format!("{name}-key.pem"));
        match (certificate.exists(), key.exists()) {
            (false, false) => make(&certificate, &key, name, now)?,
            (true, false) => return Err(PkiError::Incomplete { found: certificate, missing: key }),
            (false, true) => return Err(PkiError::Incomplete { found: key, missing: certificate }),
            (true, true) => {}
        }
        let authority = Self::read(&certificate, &key)?;
        if authority.not_after < now + SPARE {
            return Err(PkiError::Ending { path: certificate, until: authority.not_after.date() });
        }
        Ok(authority)
    }

    fn read(path: &Path, key_path: &Path) -> Result<Self, PkiError> {
        let text = |path: &Path| fs::read_to_string(path).map_err(|error| PkiError::file(path, error));
        let certificate = text(path)?;
        let key = KeyPair::from_pem(&text(key_path)?).map_err(|error| PkiError::file(key_path, error))?;
        let (_, pem) = parse_x509_pem(certificate.as_bytes()).map_err(|error| PkiError::file(path, error))?;
        let (_, parsed) = parse_x509_certificate(&pem.contents).map_err(|error| PkiError::file(path, error))?;
        if parsed.public_key().raw != key.subject_public_key_info() {
            return Err(PkiError::file(key_path, format!("it is not the key of {}", path.display())));
        }
        let not_after = parsed.validity().not_after.to_datetime();
        let issuer = Issuer::from_ca_cert_pem(&certificate, key).map_err(|error| PkiError::file(path, error))?;
        Ok(Self { issuer, certificate, not_after })
    }

    /// The certificate that hosts trust, in PEM.
    pub(super) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The end of the validity of a certificate signed now.
    pub(super) fn ends(&self, now: OffsetDateTime) -> OffsetDateTime {
        self.not_after.min(now + HOST_VALID)
    }

    /// Makes a key and a certificate for the host with these addresses.
    pub(super) fn sign(
        &self,
        addresses: &[Address],
        purpose: Purpose,
        now: OffsetDateTime,
    ) -> Result<Signed, PkiError> {
        let refused = |error: rcgen::Error| PkiError::file(Path::new("The new certificate"), error);
        let mut params = params(&addresses[0].to_string(), now);
        params.subject_alt_names = addresses.iter().map(alternative_name).collect::<Result<_, _>>().map_err(refused)?;
        params.not_after = self.ends(now);
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        // libvirt and QEMU refuse a certificate whose usages leave out one of these, though TLS 1.3 needs only the first.
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![match purpose {
            Purpose::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        let key = KeyPair::generate().map_err(refused)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(refused)?;
        Ok(Signed { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

fn make(certificate: &Path, key_path: &Path, name: &str, now: OffsetDateTime) -> Result<(), PkiError> {
    let refused = |error: rcgen::Error| PkiError::file(certificate, error);
    let mut params = params(&format!("vmferry {name} authority"), now);
    params.not_after = now + AUTHORITY_VALID;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate().map_err(refused)?;
    let signed = params.self_signed(&key).map_err(refused)?;
    write(key_path, &key.serialize_pem(), 0o600)?;
    write(certificate, &signed.pem(), 0o644)
}

fn params(common_name: &str, now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "vmferry");
    params.distinguished_name.push(DnType::CommonName, common_name);
    // Some clocks are slow.
    params.not_before = now - DAY;
    params
}

fn alternative_name(address: &Address) -> Result<SanType, rcgen::Error> {
    Ok(match address {
        Address::V4(address) => SanType::IpAddress((*address).into()),
        Address::V6(address) => SanType::IpAddress((*address).into()),
        Address::Name(name) => SanType::DnsName(name.as_str().try_into()?),
    })
}
