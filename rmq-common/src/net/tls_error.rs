//! What a failed TLS handshake means to the person who reads it.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use lapin::ErrorKind;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use std::fmt;

/// A peer that answers with TLS although we did not use it.
#[derive(Debug)]
pub(crate) struct SpeaksTls;

impl fmt::Display for SpeaksTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it speaks TLS there (amqps://)")
    }
}

impl std::error::Error for SpeaksTls {}

/// webpki's name for an authority's certificate that a server presents as its own.
pub(crate) const CA_AS_SERVER: &str = "CaUsedAsEndEntity";

/// The protocol inside TLS, which decides how to fix a TLS error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// AMQP.
    Amqp {
        /// Whether we have a certificate to present.
        shown: bool,
        /// Whether the broker has requested one.
        asked: bool,
    },
    /// HTTP. We present no certificate there.
    Http,
}

pub(crate) fn read(error: &lapin::Error, inside: Inside) -> Option<Failure> {
    match error.kind() {
        ErrorKind::IOError(error) => read_io(error, inside),
        _ => None,
    }
}

/// The failure in `error` if it is about TLS and no further attempt can fix it: the broker's
/// certificate is not trusted, only one side uses TLS, or both use incompatible TLS (69), or the
/// broker does not accept our certificate (77).
pub fn read_io(error: &std::io::Error, inside: Inside) -> Option<Failure> {
    let error = error.get_ref()?;
    let unavailable = |why: String| Some(Failure::new(Exit::Unavailable, why));
    if error.is::<SpeaksTls>() {
        return unavailable(SpeaksTls.to_string());
    }
    match error.downcast_ref::<Error>()? {
        // The answer of a server that does not use TLS.
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            let plain = match inside {
                Inside::Amqp { .. } => "amqp://",
                Inside::Http => "http://",
            };
            unavailable(format!("it does not speak TLS there ({plain})"))
        }
        Error::InvalidCertificate(why) => {
            unavailable(format!("its certificate {}", theirs(why, inside)))
        }
        Error::PeerIncompatible(_) => unavailable(NOTHING_IN_COMMON.to_owned()),
        Error::NoCertificatesPresented => unavailable("it presents no certificate".to_owned()),
        // Under TLS 1.3 this alert arrives after our side has finished the handshake.
        Error::AlertReceived(alert) => received(*alert, inside),
        _ => None,
    }
}

const NOTHING_IN_COMMON: &str =
    "it has no TLS version or cipher in common with us (TLS 1.2 and 1.3)";

/// A TLS error that may be temporary, in words; `None` if `error` is not about TLS.
pub(crate) fn in_words(error: &std::io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::AlertReceived(alert) => {
            format!("it ended TLS with the alert \"{}\"", spaced(&format!("{alert:?}")))
        }
        Error::DecryptError => "what it sent over TLS cannot be decrypted".to_owned(),
        Error::InvalidMessage(_) | Error::PeerMisbehaved(_) => {
            "what it sends is not TLS, or breaks its rules".to_owned()
        }
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "its TLS messages are out of order".to_owned()
        }
        other => format!("TLS: {other}"),
    })
}

/// What is wrong with our own certificate or key, or with one to trust.
pub(crate) fn of_own(error: &Error) -> String {
    match error {
        Error::InconsistentKeys(_) => "the key does not belong to the certificate".to_owned(),
        Error::InvalidCertificate(why) => {
            format!("the certificate {}", theirs(why, Inside::Amqp { shown: true, asked: false }))
        }
        // rustls has no separate error for it.
        Error::General(_) => "the key is of a kind that is not supported; RSA of 2048 bits or \
                              more, ECDSA (P-256, P-384) and Ed25519 are"
            .to_owned(),
        other => other.to_string(),
    }
}

fn theirs(why: &CertificateError, inside: Inside) -> String {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet (is the clock right?)".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "is from an authority that is not trusted here (--cacert)".to_owned()
        }
        CertificateError::NotValidForName => "is for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<String> = presented.iter().map(|name| plain(name)).collect();
            let names = names.join(", ");
            if names.is_empty() {
                return "names no host (it has no subjectAltName)".to_owned();
            }
            let hint = match inside {
                Inside::Amqp { .. } => " (server_name_indication=NAME asks for one)",
                Inside::Http => "",
            };
            format!("is for another name: {names}{hint}")
        }
        CertificateError::BadEncoding => "cannot be read".to_owned(),
        CertificateError::Revoked => "is revoked".to_owned(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not for a server (its extendedKeyUsage has no serverAuth)".to_owned()
        }
        CertificateError::BadSignature => "has a signature that is not its authority's".to_owned(),
        CertificateError::UnhandledCriticalExtension => {
            "has a critical extension that is not known here".to_owned()
        }
        CertificateError::Other(other) => of_webpki(&other.to_string()),
        other => {
            let name = format!("{other:?}");
            if name.starts_with("UnsupportedSignatureAlgorithm") {
                return "is signed in a way that is not accepted (SHA-1 or MD5, or a key that is \
                        too short)"
                    .to_owned();
            }
            format!("is not accepted: {}", words(&name))
        }
    }
}

/// What webpki reports and rustls has no name for. Such errors are recognised by webpki's own
/// names, which are not in rustls's types.
fn of_webpki(name: &str) -> String {
    match name.split(['(', ' ', '{']).next().unwrap_or_default() {
        "UnsupportedCertVersion" => "is one of X.509 version 1, which names no host and is not \
                                     accepted (openssl req -x509 -addext \
                                     subjectAltName=DNS:HOST makes one of version 3)"
            .to_owned(),
        CA_AS_SERVER => "is an authority's own and not one that was trusted by --cacert".to_owned(),
        "EndEntityUsedAsCa" => {
            "is signed by a certificate that is not an authority's (basicConstraints)".to_owned()
        }
        "PathLenConstraintViolated" | "MaximumPathDepthExceeded" => {
            "has a longer chain of authorities than is allowed".to_owned()
        }
        "NameConstraintViolation" => {
            "is for a name for which its authority may not sign".to_owned()
        }
        other => format!("is not accepted: {}", words(other)),
    }
}

/// `no such thing` for `NoSuchThing(1)`.
fn words(name: &str) -> String {
    spaced(name.split(['(', ' ', '{']).next().unwrap_or_default())
}

fn spaced(name: &str) -> String {
    name.chars().fold(String::new(), |mut words, letter| {
        if letter.is_ascii_uppercase() && words.ends_with(|c: char| c.is_ascii_lowercase()) {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
        words
    })
}

/// `broker.example` for rustls's `DnsName("broker.example")`, without characters that could control
/// a terminal: anyone may have written it.
fn plain(presented: &str) -> String {
    let inside = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    let name = inside.map_or(presented, |name| name.trim_matches('"'));
    name.chars().filter(|c| !c.is_control()).collect()
}

/// What an alert means that no further attempt can fix.
fn received(alert: AlertDescription, inside: Inside) -> Option<Failure> {
    let unavailable = |why: &str| Some(Failure::new(Exit::Unavailable, why));
    let (shown, asked) = match inside {
        Inside::Amqp { shown, asked } => (shown, asked),
        Inside::Http => (false, false),
    };
    let why = match alert {
        AlertDescription::CertificateRequired => "it wants one",
        // The alert that OpenSSL and Erlang send for a missing one under TLS 1.2.
        AlertDescription::HandshakeFailure if asked && !shown => "it may want one",
        AlertDescription::HandshakeFailure if inside == Inside::Http => {
            return unavailable(
                "it has ended TLS: no cipher is in common, or it wants a client certificate",
            );
        }
        AlertDescription::HandshakeFailure
        | AlertDescription::InsufficientSecurity
        | AlertDescription::ProtocolVersion => return unavailable(NOTHING_IN_COMMON),
        AlertDescription::UnrecognisedName => {
            return unavailable("it has no certificate for that name");
        }
        AlertDescription::UnknownCA => "it does not know the authority that signed it",
        AlertDescription::CertificateExpired => "it has expired",
        AlertDescription::CertificateRevoked => "it is revoked",
        AlertDescription::DecryptError if shown => "the key does not fit it",
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied => "it does not accept it",
        _ => return None,
    };
    Some(Failure::new(
        Exit::NoPerm,
        match inside {
            Inside::Amqp { shown: true, .. } => {
                format!("the broker refused our client certificate: {why}")
            }
            Inside::Amqp { shown: false, .. } => {
                format!("the broker asks for a client certificate: {why} (--cert and --key)")
            }
            Inside::Http => {
                format!("the broker asks for a client certificate, and none can be shown: {why}")
            }
        },
    ))
}

#[cfg(test)]
mod tests;
