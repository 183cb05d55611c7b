//! Whether certificates can be used, and for which names: the checks that QEMU makes when it opens them.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use engine::Certificates;
use sha2::{Digest, Sha256};
use x509_parser::{extensions::GeneralName, pem::Pem, prelude::X509Certificate};

use super::{AUTHORITY, CLIENT, SERVER};

/// What a certificate is to be used for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To receive VMs.
    Server,
    /// To send them.
    Client,
}

/// Whether these PEM files can be used at this time (since 1970).
pub(super) fn judge(authorities: &[u8], server: &[u8], client: &[u8], now: Duration) -> Certificates {
    usable(authorities, server, client, now).unwrap_or_else(Certificates::Unusable)
}

fn usable(authorities: &[u8], server: &[u8], client: &[u8], now: Duration) -> Result<Certificates, String> {
    let files = [pems(AUTHORITY, authorities)?, pems(SERVER, server)?, pems(CLIENT, client)?];
    let [authorities, server, client] =
        [(AUTHORITY, &files[0]), (SERVER, &files[1]), (CLIENT, &files[2])].map(|(name, file)| parsed(name, file));
    let (authorities, server, client) = (authorities?, server?, client?);
    let authority = signer(SERVER, &server, &authorities)?;
    let of_client = signer(CLIENT, &client, &authorities)?;
    let ends = [
        valid(AUTHORITY, authority, now)?,
        valid(AUTHORITY, of_client, now)?,
        valid(SERVER, &server[0], now)?,
        valid(CLIENT, &client[0], now)?,
    ];
    fit(SERVER, &server[0], Purpose::Server)?;
    fit(CLIENT, &client[0], Purpose::Client)?;
    Ok(Certificates::Usable {
        authority: fingerprint(authority),
        names: names(&server[0]),
        until_ms: ends.into_iter().min().unwrap_or(0).saturating_mul(1000),
    })
}

/// The certificates in a file: a certificate and then its chain, or those of several authorities.
fn pems(name: &str, file: &[u8]) -> Result<Vec<Pem>, String> {
    let pems: Result<Vec<_>, _> = Pem::iter_from_buffer(file).collect();
    match pems {
        Ok(pems) if !pems.is_empty() => Ok(pems),
        _ => Err(format!("{name} does not contain a certificate.")),
    }
}

fn parsed<'a>(name: &str, pems: &'a [Pem]) -> Result<Vec<X509Certificate<'a>>, String> {
    let parsed: Result<Vec<_>, _> = pems.iter().map(Pem::parse_x509).collect();
    parsed.map_err(|error| format!("{name} can't be read: {error}."))
}

/// The authority that signed a certificate, directly or by way of others in its file.
fn signer<'a, 'b>(
    name: &str,
    chain: &[X509Certificate<'a>],
    authorities: &'b [X509Certificate<'a>],
) -> Result<&'b X509Certificate<'a>, String> {
    for (place, certificate) in chain.iter().enumerate() {
        if let Some(authority) = authorities.iter().find(|authority| has_signed(authority, certificate)) {
            return Ok(authority);
        }
        if !chain.get(place + 1).is_some_and(|next| has_signed(next, certificate)) {
            break;
        }
    }
    Err(format!("{name} is not signed by the authority in {AUTHORITY}."))
}

fn has_signed(authority: &X509Certificate<'_>, certificate: &X509Certificate<'_>) -> bool {
    authority.subject() == certificate.issuer()
        && authority.is_ca()
        && certificate.verify_signature(Some(authority.public_key())).is_ok()
}

/// Checks that it is valid now; until when, in seconds since 1970.
fn valid(name: &str, certificate: &X509Certificate<'_>, now: Duration) -> Result<u64, String> {
    let validity = certificate.validity();
    let seconds = |timestamp: i64| u64::try_from(timestamp).unwrap_or(0);
    let (from, until) = (seconds(validity.not_before.timestamp()), seconds(validity.not_after.timestamp()));
    if now.as_secs() < from {
        return Err(format!("{name} is not valid yet."));
    }
    if now.as_secs() > until {
        return Err(format!("{name} has expired."));
    }
    Ok(until)
}

/// Checks that it may be used for this purpose. A certificate without extended key usage may be used for all.
fn fit(name: &str, certificate: &X509Certificate<'_>, purpose: Purpose) -> Result<(), String> {
    let Ok(Some(usage)) = certificate.extended_key_usage() else { return Ok(()) };
    let (fits, role) = match purpose {
        Purpose::Server => (usage.value.server_auth, "server"),
        Purpose::Client => (usage.value.client_auth, "client"),
    };
    if fits || usage.value.any { Ok(()) } else { Err(format!("{name} is not for use as a {role}.")) }
}

/// The names and IP addresses in it. A common name counts only if there are no others.
pub(super) fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let named: Vec<_> = alternatives
        .iter()
        .flat_map(|names| &names.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => ip(bytes).map(|ip| ip.to_string()),
            _ => None,
        })
        .collect();
    if !named.is_empty() {
        return named;
    }
    let common_names = certificate.subject().iter_common_name();
    common_names.filter_map(|name| name.as_str().ok()).map(str::to_owned).collect()
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(|bytes| IpAddr::from(Ipv4Addr::from(bytes)))
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| IpAddr::from(Ipv6Addr::from(bytes))))
        .ok()
}

/// The fingerprint, as openssl writes it.
fn fingerprint(certificate: &X509Certificate<'_>) -> String {
    let digest = Sha256::digest(certificate.as_raw());
    digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd};

    use super::*;

    /// 2026-01-01
    const NOW: Duration = Duration::from_secs(1_767_225_600);

    struct Authority {
        pem: String,
        issuer: Issuer<'static, KeyPair>,
    }

    fn authority(name: &str, is_ca: bool) -> Authority {
        let mut params = params(&[], 2020, 2040);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = if is_ca { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::NoCa };
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    fn params(names: &[&str], from: i32, until: i32) -> CertificateParams {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
        params
    }

    fn signed(params: &CertificateParams, by: &Authority) -> String {
        params.signed_by(&KeyPair::generate().unwrap(), &by.issuer).unwrap().pem()
    }

    fn good() -> CertificateParams {
        params(&["host7.example.org", "192.0.2.7", "2001:db8::7"], 2025, 2027)
    }

    fn why_not(authority: &str, server: &str, client: &str) -> String {
        match judge(authority.as_bytes(), server.as_bytes(), client.as_bytes(), NOW) {
            Certificates::Unusable(why) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn good_certificates_are_for_their_names_until_the_first_ends() {
        let authority = authority("A", true);
        let server = signed(&good(), &authority);
        let client = signed(&params(&[], 2025, 2026 + 10), &authority);
        let judged = judge(authority.pem.as_bytes(), server.as_bytes(), client.as_bytes(), NOW);
        let Certificates::Usable { authority: fingerprint, names, until_ms } = judged else { panic!("{judged:?}") };
        assert_eq!(names, ["host7.example.org", "192.0.2.7", "2001:db8::7"]);
        assert_eq!(until_ms, 1_798_761_600_000, "2027-01-01");
        assert_eq!(fingerprint.len(), 32 * 3 - 1);
    }

    #[test]
    fn the_authority_must_have_signed_both() {
        let (ours, other) = (authority("A", true), authority("A", true));
        let (server, client) = (signed(&good(), &ours), signed(&good(), &other));
        assert_eq!(
            why_not(&ours.pem, &server, &client),
            "client-cert.pem is not signed by the authority in ca-cert.pem."
        );
        assert_eq!(
            why_not(&other.pem, &server, &client),
            "server-cert.pem is not signed by the authority in ca-cert.pem."
        );
        let both = format!("{}{}", other.pem, ours.pem);
        assert!(matches!(
            judge(both.as_bytes(), server.as_bytes(), client.as_bytes(), NOW),
            Certificates::Usable { .. }
        ));
        let none = authority("B", false);
        let server = signed(&good(), &none);
        assert_eq!(
            why_not(&none.pem, &server, &server),
            "server-cert.pem is not signed by the authority in ca-cert.pem."
        );
    }

    #[test]
    fn an_authority_may_have_signed_by_way_of_another() {
        let root = authority("root", true);
        let mut between = params(&[], 2020, 2040);
        between.distinguished_name.push(rcgen::DnType::CommonName, "between");
        between.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let between_pem = between.signed_by(&key, &root.issuer).unwrap().pem();
        let between = Authority { pem: between_pem, issuer: Issuer::new(between, key) };
        let alone = signed(&good(), &between);
        let whole = format!("{alone}{}", between.pem);
        assert!(matches!(
            judge(root.pem.as_bytes(), whole.as_bytes(), whole.as_bytes(), NOW),
            Certificates::Usable { .. }
        ));
        assert_eq!(
            why_not(&root.pem, &alone, &whole),
            "server-cert.pem is not signed by the authority in ca-cert.pem."
        );
    }

    #[test]
    fn dates_and_purposes_count() {
        let authority = authority("A", true);
        let fine = signed(&good(), &authority);
        let past = signed(&params(&[], 2024, 2025), &authority);
        let future = signed(&params(&[], 2027, 2028), &authority);
        assert_eq!(why_not(&authority.pem, &past, &fine), "server-cert.pem has expired.");
        assert_eq!(why_not(&authority.pem, &fine, &future), "client-cert.pem is not valid yet.");
        let mut for_clients = good();
        for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let for_clients = signed(&for_clients, &authority);
        assert_eq!(why_not(&authority.pem, &for_clients, &fine), "server-cert.pem is not for use as a server.");
        assert!(matches!(
            judge(authority.pem.as_bytes(), fine.as_bytes(), for_clients.as_bytes(), NOW),
            Certificates::Usable { .. }
        ));
    }

    #[test]
    fn a_file_without_a_certificate_is_reported() {
        let authority = authority("A", true);
        assert_eq!(why_not("", "", ""), "ca-cert.pem does not contain a certificate.");
        assert_eq!(why_not(&authority.pem, "x", "x"), "server-cert.pem does not contain a certificate.");
        let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(why_not(&authority.pem, other, other).starts_with("server-cert.pem can't be read: "));
    }

    proptest! {
        /// They come from hosts, which may send anything.
        #[test]
        fn whatever_a_host_sends_is_judged(
            file in prop::collection::vec(any::<u8>(), 0..400),
            inside in prop::collection::vec(any::<u8>(), 0..99),
        ) {
            let words: String = inside.iter().map(|byte| format!("{byte:02x}")).collect();
            let pem = format!("-----BEGIN CERTIFICATE-----\n{words}\n-----END CERTIFICATE-----\n");
            for file in [file.as_slice(), pem.as_bytes()] {
                prop_assert!(matches!(judge(file, file, file, NOW), Certificates::Unusable(_)));
            }
        }
    }
}
