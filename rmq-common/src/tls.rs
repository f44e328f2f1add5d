//! TLS as the URL asks for it: which authorities to trust, and which certificate to show.
//!
//! lapin's own configuration knows neither private authorities in place of the system's, nor
//! `verify_none`, nor another server name, so the `ClientConfig` is made here.

use crate::broker_url::Parameters;
use crate::exit::Exit;
use crate::failure::{Cause, Failure};
use lapin::tcp::RustlsConnector;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// The connector for `parameters`.
///
/// # Errors
/// When a file cannot be read, or holds no certificate or key, or the two do not fit (78).
pub(crate) fn connector(parameters: &Parameters) -> Result<RustlsConnector, Failure> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| config(format!("TLS: {error}")))?;
    let builder = if parameters.verify == Some(false) {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(VerifyNone(provider)))
    } else {
        builder.with_root_certificates(roots(parameters.cacertfile.as_deref())?)
    };
    let client_config = match (&parameters.certfile, &parameters.keyfile) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certfile), Some(keyfile)) => {
            let key = PrivateKeyDer::from_pem_file(keyfile)
                .map_err(|error| config(format!("read the key {keyfile}: {}", pem(&error))))?;
            builder
                .with_client_auth_cert(certificates(certfile)?, key)
                .map_err(|error| config(format!("use {certfile} with {keyfile}: {error}")))?
        }
        (Some(_), None) => return Err(Failure::usage("a client certificate needs --key too")),
        (None, Some(_)) => return Err(Failure::usage("a client key needs --cert too")),
    };
    Ok(RustlsConnector::from(client_config))
}

fn roots(cacertfile: Option<&str>) -> Result<RootCertStore, Failure> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(trusted(cacertfile)?);
    Ok(store)
}

/// The certificates of the authorities to trust: those in the file, else the system's.
///
/// # Errors
/// When the file cannot be read, or holds no certificate or one that cannot be trusted, or the
/// system has none (78).
pub fn trusted(cacertfile: Option<&str>) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let mut store = RootCertStore::empty();
    if let Some(path) = cacertfile {
        let certificates = certificates(path)?;
        for certificate in &certificates {
            let added = store.add(certificate.clone());
            added.map_err(|error| config(format!("trust {path}: {error}")))?;
        }
        return Ok(certificates);
    }
    let mut found = rustls_native_certs::load_native_certs();
    // A system's store may hold what rustls cannot read.
    found.certs.retain(|certificate| store.add(certificate.clone()).is_ok());
    if found.certs.is_empty() {
        let why = found.errors.first().map(|error| format!(": {error}"));
        let why = why.unwrap_or_default();
        return Err(config(format!("this system has no trusted certificates{why}")));
    }
    Ok(found.certs)
}

fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let problem = |error| config(format!("read the certificate {path}: {}", pem(&error)));
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(problem)?;
    if certificates.is_empty() {
        return Err(config(format!("{path} holds no certificate")));
    }
    Ok(certificates)
}

fn pem(error: &rustls::pki_types::pem::Error) -> String {
    match error {
        rustls::pki_types::pem::Error::Io(error) => Cause(error).to_string(),
        rustls::pki_types::pem::Error::NoItemsFound => "nothing in it in PEM form".to_owned(),
        other => other.to_string(),
    }
}

fn config(message: String) -> Failure {
    Failure::new(Exit::Config, message)
}

/// `verify=verify_none`: any certificate will do, but the handshake's signatures must still fit
/// it.
#[derive(Debug)]
struct VerifyNone(Arc<CryptoProvider>);

impl ServerCertVerifier for VerifyNone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
