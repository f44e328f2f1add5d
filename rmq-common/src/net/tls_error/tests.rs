use super::*;

fn read_error(error: Error, shown: bool) -> Option<Failure> {
    read_asked(error, shown, false)
}

fn read_asked(error: Error, shown: bool, asked: bool) -> Option<Failure> {
    let error = std::io::Error::new(std::io::ErrorKind::InvalidData, error);
    read(&lapin::Error::from(error), Inside::Amqp { shown, asked })
}

#[test]
fn a_failed_handshake_is_about_the_certificate_only_where_one_was_asked_for() {
    let failed = || Error::AlertReceived(AlertDescription::HandshakeFailure);
    assert_eq!(read_asked(failed(), false, true).unwrap().exit(), Exit::NoPerm);
    for (shown, asked) in [(false, false), (true, false), (true, true)] {
        let failure = read_asked(failed(), shown, asked).unwrap();
        assert_eq!(failure.exit(), Exit::Unavailable, "{failure}");
    }
    let version = Error::AlertReceived(AlertDescription::ProtocolVersion);
    assert_eq!(read_error(version, true).unwrap().exit(), Exit::Unavailable);
}

#[test]
fn no_error_is_told_by_the_names_that_a_library_has_for_it() {
    let other = |name: &str| {
        let other = rustls::OtherError(std::sync::Arc::new(std::io::Error::other(name)));
        theirs(&CertificateError::Other(other), Inside::Http)
    };
    assert!(other("UnsupportedCertVersion").contains("version 1"));
    assert!(other(CA_AS_SERVER).contains("--cacert"));
    let message = other("MaximumSignatureChecksExceeded");
    assert_eq!(message, "is not accepted: maximum signature checks exceeded");
    let alert = Error::AlertReceived(AlertDescription::InternalError);
    assert_eq!(read_error(alert.clone(), false), None);
    let alert = std::io::Error::new(std::io::ErrorKind::InvalidData, alert);
    let message = in_words(&alert).unwrap();
    assert_eq!(message, "it ended TLS with the alert \"internal error\"");
    let weak = CertificateError::UnsupportedSignatureAlgorithmContext {
        signature_algorithm_id: vec![1],
        supported_algorithms: vec![],
    };
    assert!(theirs(&weak, Inside::Http).contains("SHA-1"));
    let keys = Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch);
    assert!(of_own(&keys).contains("does not belong"));
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
        theirs(&why, Inside::Amqp { shown: false, asked: false })
    };
    let names = ["DnsName(\"broker.example\")", "IpAddress(10.0.0.1)", "DnsName(\"\x1b[2Jx\")"];
    let message = read(&names);
    assert!(
        message.starts_with("is for another name: broker.example, 10.0.0.1, [2Jx ("),
        "{message}"
    );
    assert!(read(&[]).contains("subjectAltName"));
}
