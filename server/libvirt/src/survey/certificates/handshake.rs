//! The certificate that a TLS server shows. Whom to trust is libvirt's business, which opens its own connections: this one sends nothing.

use std::{
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// What each step may take.
const LIMIT: Duration = Duration::from_secs(2);

/// The certificate of the server at one of these addresses, in DER, which it has proven to have the key of; or why there is none, in words.
/// Blocks.
pub(crate) fn server_certificate(addresses: &[SocketAddr]) -> Result<Vec<u8>, String> {
    let address = addresses.first().ok_or("it has no address")?;
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let mut stream = TcpStream::connect_timeout(address, LIMIT).map_err(|error| told(&error))?;
    for limit in [stream.set_read_timeout(Some(LIMIT)), stream.set_write_timeout(Some(LIMIT))] {
        limit.map_err(|error| told(&error))?;
    }
    let mut client = ClientConnection::new(config().map_err(|error| told(&error))?, ServerName::from(address.ip()))
        .map_err(|error| told(&error))?;
    // libvirt refuses who shows no certificate, but only after it has shown its own.
    let refused = client.complete_io(&mut stream).err();
    match client.peer_certificates().and_then(|chain| chain.first()) {
        Some(certificate) => Ok(certificate.to_vec()),
        None => Err(refused.map_or_else(|| "it has shown none".to_owned(), |error| told(&error))),
    }
}

fn config() -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(AnyAuthority(provider)));
    Ok(Arc::new(config.with_no_client_auth()))
}

/// Takes a certificate of any authority, if the server has its key.
#[derive(Debug)]
struct AnyAuthority(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyAuthority {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_there = !certificate.is_empty();
        is_there.then(ServerCertVerified::assertion).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, net::TcpListener, thread};

    use rustls::{
        RootCertStore, ServerConfig, ServerConnection, pki_types::PrivatePkcs8KeyDer, server::WebPkiClientVerifier,
    };

    use super::*;

    /// As libvirt's daemon does, the server wants a certificate of its client.
    #[test]
    fn the_certificate_is_seen_though_the_server_refuses_who_has_none() {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["alpha".to_owned()]).unwrap().self_signed(&key).unwrap();
        let mut trusted = RootCertStore::empty();
        trusted.add(certificate.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), Arc::clone(&provider)).build().unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients)
            .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut server = ServerConnection::new(Arc::new(config)).unwrap();
            let refused = server.complete_io(&mut stream).is_err();
            let _ = stream.read(&mut [0; 1]);
            refused
        });
        assert_eq!(server_certificate(&[address]).unwrap(), certificate.der().to_vec());
        assert!(server.join().unwrap(), "the server has refused");
    }

    #[test]
    fn why_there_is_none_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(server_certificate(&[address]).is_err());
        assert!(server_certificate(&[]).is_err());
    }
}
