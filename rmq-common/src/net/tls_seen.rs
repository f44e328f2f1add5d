//! What a TLS handshake showed, for `--verbose`: its version, and the issuer of the certificate.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use std::sync::{Arc, Mutex, PoisonError};
use x509_parser::parse_x509_certificate;

/// The last handshake; one that resumes a session is like the one before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Handshake>>);

#[derive(Debug, Default)]
struct Handshake {
    version: &'static str,
    certified_by: String,
}

impl Seen {
    /// A short description of it.
    pub(crate) fn shown(&self) -> String {
        let Handshake { version, certified_by } =
            &*self.0.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{version}, certified by {certified_by}")
    }

    fn note(&self, note: impl FnOnce(&mut Handshake)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Verifies as `inner` does, and records what it sees.
#[derive(Debug)]
pub(crate) struct Noting<V> {
    pub(crate) inner: V,
    pub(crate) seen: Seen,
}

impl<V: ServerCertVerifier> ServerCertVerifier for Noting<V> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.seen.note(|handshake| handshake.certified_by = issuer(end_entity));
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.seen.note(|handshake| handshake.version = "TLS 1.2");
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.seen.note(|handshake| handshake.version = "TLS 1.3");
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The name of a certificate's issuer: its common name, if it has one.
fn issuer(certificate: &CertificateDer<'_>) -> String {
    let Ok((_, certificate)) = parse_x509_certificate(certificate) else {
        return "an unreadable name".to_owned();
    };
    let issuer = certificate.issuer();
    if issuer == certificate.subject() {
        return "itself".to_owned();
    }
    let common = issuer.iter_common_name().next().and_then(|name| name.as_str().ok());
    common.map_or_else(|| issuer.to_string(), str::to_owned)
}
