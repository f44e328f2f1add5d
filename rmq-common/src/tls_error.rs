//! What a failed TLS handshake means to the person who reads it.

use crate::exit::Exit;
use crate::failure::Failure;
use lapin::ErrorKind;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
use std::fmt;

/// A peer that answers by TLS where it was not spoken to by TLS.
#[derive(Debug)]
pub(crate) struct SpeaksTls;

impl fmt::Display for SpeaksTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it speaks TLS there (amqps://)")
    }
}

impl std::error::Error for SpeaksTls {}

/// What is spoken inside TLS, and so how what is wrong with that can be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// AMQP; `shown` is whether we showed a certificate.
    Amqp {
        /// Whether we showed a certificate.
        shown: bool,
    },
    /// HTTP. We show no certificate there.
    Http,
}

pub(crate) fn read(error: &lapin::Error, shown: bool) -> Option<Failure> {
    match error.kind() {
        ErrorKind::IOError(error) => read_io(error, Inside::Amqp { shown }),
        _ => None,
    }
}

/// The failure behind `error` if it is about TLS and no further try can mend it: the broker's
/// certificate is not trusted, or only one side speaks TLS (69), or the broker does not take our
/// certificate (77).
pub fn read_io(error: &std::io::Error, inside: Inside) -> Option<Failure> {
    let error = error.get_ref()?;
    if error.is::<SpeaksTls>() {
        return Some(Failure::new(Exit::Unavailable, SpeaksTls.to_string()));
    }
    match error.downcast_ref::<Error>()? {
        // What a server that does not speak TLS says to it.
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            let plain = match inside {
                Inside::Amqp { .. } => "amqp://",
                Inside::Http => "http://",
            };
            let why = format!("it does not speak TLS there ({plain})");
            Some(Failure::new(Exit::Unavailable, why))
        }
        Error::InvalidCertificate(why) => {
            let why = theirs(why, inside);
            Some(Failure::new(Exit::Unavailable, format!("its certificate {why}")))
        }
        // Under TLS 1.3 this alert comes when our side is done with the handshake already.
        Error::AlertReceived(alert) => {
            let why = ours(*alert, inside)?;
            Some(Failure::new(Exit::NoPerm, why))
        }
        _ => None,
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
        other => format!("is not accepted: {other}"),
    }
}

/// `broker.example` of rustls's `DnsName("broker.example")`, without what a terminal might obey:
/// anybody may have written it.
fn plain(presented: &str) -> String {
    let inside = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    let name = inside.map_or(presented, |name| name.trim_matches('"'));
    name.chars().filter(|c| !c.is_control()).collect()
}

fn ours(alert: AlertDescription, inside: Inside) -> Option<String> {
    let shown = inside == Inside::Amqp { shown: true };
    let why = match alert {
        AlertDescription::CertificateRequired => "it wants one",
        // OpenSSL's and Erlang's word for a missing one under TLS 1.2.
        AlertDescription::HandshakeFailure if !shown => "it may want one",
        AlertDescription::UnknownCA => "it does not know the authority behind it",
        AlertDescription::CertificateExpired => "it has expired",
        AlertDescription::CertificateRevoked => "it is revoked",
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::AccessDenied => "it does not accept it",
        _ => return None,
    };
    Some(match inside {
        Inside::Amqp { shown: true } => {
            format!("the broker refused our client certificate: {why}")
        }
        Inside::Amqp { shown: false } => {
            format!("the broker asks for a client certificate: {why} (--cert and --key)")
        }
        Inside::Http => {
            format!("the broker asks for a client certificate, and none can be shown: {why}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_error(error: Error, shown: bool) -> Option<Failure> {
        let error = std::io::Error::new(std::io::ErrorKind::InvalidData, error);
        read(&lapin::Error::from(error), shown)
    }

    #[test]
    fn each_side_of_a_failed_handshake_has_its_sentence_and_its_exit_status() {
        let failure = read_error(Error::InvalidCertificate(CertificateError::Expired), false);
        assert_eq!(failure, Some(Failure::new(Exit::Unavailable, "its certificate has expired")));
        let required = Error::AlertReceived(AlertDescription::CertificateRequired);
        let failure = read_error(required, false).unwrap();
        assert_eq!(failure.exit(), Exit::NoPerm);
        assert!(failure.to_string().contains("--cert"), "{failure}");
        let unknown = Error::AlertReceived(AlertDescription::UnknownCA);
        let failure = read_error(unknown, true).unwrap();
        assert!(failure.to_string().contains("authority"), "{failure}");
        let plain = Error::InvalidMessage(InvalidMessage::InvalidContentType);
        assert!(read_error(plain, false).unwrap().to_string().contains("amqp://"));
        assert_eq!(read_error(Error::DecryptError, true), None);
    }

    #[test]
    fn a_certificate_for_another_name_is_told_with_its_names() {
        let read = |names: &[&str]| {
            let why = CertificateError::NotValidForNameContext {
                expected: rustls::pki_types::ServerName::try_from("localhost").unwrap().to_owned(),
                presented: names.iter().map(ToString::to_string).collect(),
            };
            theirs(&why, Inside::Amqp { shown: false })
        };
        let names = ["DnsName(\"broker.example\")", "IpAddress(10.0.0.1)", "DnsName(\"\x1b[2Jx\")"];
        let told = read(&names);
        assert!(
            told.starts_with("is for another name: broker.example, 10.0.0.1, [2Jx ("),
            "{told}"
        );
        assert!(read(&[]).contains("subjectAltName"));
    }
}
