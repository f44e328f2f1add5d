//! TLS as the URL requests it: the authorities to trust, and the certificate to present.
//!
//! lapin's configuration supports neither private authorities instead of the system's, nor
//! `verify_none`, nor another server name, so the `ClientConfig` is made here.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::net::broker_url::Parameters;
use crate::net::pem_file;
use crate::net::tls_error;
use crate::net::tls_seen::{Noting, Seen};
use crate::net::tls_verify::{Pinned, VerifyNone};
use lapin::tcp::RustlsConnector;
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Opens TLS, and records what the broker requested.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) connector: RustlsConnector,
    asked: Arc<AtomicBool>,
    /// What the last handshake showed.
    pub(crate) seen: Seen,
    /// Whether we have a certificate to present.
    pub(crate) shows: bool,
}

impl Tls {
    /// Whether the broker has requested our certificate since the last call.
    pub(crate) fn take_asked(&self) -> bool {
        self.asked.swap(false, Ordering::Relaxed)
    }

    /// TLS with these `parameters`.
    ///
    /// # Errors
    /// A file cannot be read, or contains no certificate or key, or the two do not match (78).
    pub(crate) fn new(parameters: &Parameters) -> Result<Self, Failure> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| config(format!("TLS: {error}")))?
            .dangerous();
        let seen = Seen::default();
        let builder = if parameters.verify == Some(false) {
            let inner = VerifyNone(provider);
            builder.with_custom_certificate_verifier(Arc::new(Noting { inner, seen: seen.clone() }))
        } else {
            let cacertfile = parameters.cacertfile.as_deref();
            let trusted = trusted(cacertfile)?;
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(trusted.iter().cloned());
            let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider)
                .build()
                .map_err(|error| config(format!("TLS: {error}")))?;
            // The system's authorities are not servers.
            let pinned = if cacertfile.is_some() { trusted } else { Vec::new() };
            let inner = Pinned::new(verifier, pinned);
            builder.with_custom_certificate_verifier(Arc::new(Noting { inner, seen: seen.clone() }))
        };
        let mut client_config = match (&parameters.certfile, &parameters.keyfile) {
            (None, None) => builder.with_no_client_auth(),
            (Some(certfile), Some(keyfile)) => {
                let certificates = pem_file::certificates(certfile)?;
                let key = pem_file::key(keyfile)?;
                builder.with_client_auth_cert(certificates, key).map_err(|error| {
                    let why = tls_error::of_own(&error);
                    config(format!("use {certfile} with {keyfile}: {why}"))
                })?
            }
            (Some(_), None) => return Err(Failure::usage("a client certificate needs --key too")),
            (None, Some(_)) => return Err(Failure::usage("a client key needs --cert too")),
        };
        let asked = Arc::new(AtomicBool::new(false));
        let resolver = client_config.client_auth_cert_resolver.clone();
        client_config.client_auth_cert_resolver =
            Arc::new(Asked { resolver, asked: asked.clone() });
        let connector = RustlsConnector::from(client_config);
        Ok(Tls { connector, asked, seen, shows: parameters.certfile.is_some() })
    }
}

/// Records that the broker requests our certificate. Under TLS 1.2 it sends the same alert to a
/// client without one and to one with no cipher in common.
#[derive(Debug)]
struct Asked {
    resolver: Arc<dyn ResolvesClientCert>,
    asked: Arc<AtomicBool>,
}

impl ResolvesClientCert for Asked {
    fn resolve(
        &self,
        root_hint_subjects: &[&[u8]],
        sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.resolver.resolve(root_hint_subjects, sigschemes)
    }

    fn has_certs(&self) -> bool {
        self.resolver.has_certs()
    }
}

/// The certificates of the authorities to trust: those in the file, else the system's.
///
/// # Errors
/// The file cannot be read, or contains no certificate or one that cannot be trusted, or the system
/// has none (78).
pub fn trusted(cacertfile: Option<&str>) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let mut store = RootCertStore::empty();
    if let Some(path) = cacertfile {
        let certificates = pem_file::certificates(path)?;
        for certificate in &certificates {
            let added = store.add(certificate.clone());
            added
                .map_err(|error| config(format!("trust {path}: {}", tls_error::of_own(&error))))?;
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

fn config(message: String) -> Failure {
    Failure::new(Exit::Config, message)
}
