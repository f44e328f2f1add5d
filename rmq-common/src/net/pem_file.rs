//! Reads certificates and keys in PEM form; for other formats, names the format and the command
//! that converts it.

use crate::cli::exit::Exit;
use crate::cli::failure::{Cause, Failure};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// What a file should contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Certificate,
    Key,
}

/// The certificates in a file, at least one.
///
/// # Errors
/// It cannot be read, or contains none in PEM form (78).
pub(crate) fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let bytes = read(path, "the certificate")?;
    let certificates = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(unfit(path, &bytes, Wanted::Certificate, &pem::Error::NoItemsFound)),
        Err(error) => Err(unfit(path, &bytes, Wanted::Certificate, &error)),
    }
}

/// The key in a file.
///
/// # Errors
/// It cannot be read, or contains none in PEM form, or one with a passphrase (78).
pub(crate) fn key(path: &str) -> Result<PrivateKeyDer<'static>, Failure> {
    let bytes = read(path, "the key")?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| unfit(path, &bytes, Wanted::Key, &error))
}

fn read(path: &str, what: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    std::fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| config(format!("read {what} {path}: {}", Cause(&error))))
}

fn unfit(path: &str, bytes: &[u8], wanted: Wanted, error: &pem::Error) -> Failure {
    let what = match wanted {
        Wanted::Certificate => "the certificate",
        Wanted::Key => "the key",
    };
    let why = instead(path, bytes, wanted).unwrap_or_else(|| match error {
        pem::Error::MissingSectionEnd { .. } => {
            "it is cut off: its -----END line is missing".into()
        }
        pem::Error::NoItemsFound => "nothing in it in PEM form".into(),
        _ => "its PEM form is damaged".into(),
    });
    config(format!("read {what} {path}: {why}"))
}

/// What a file contains instead, and how to convert it.
fn instead(path: &str, bytes: &[u8], wanted: Wanted) -> Option<String> {
    use Wanted::{Certificate, Key};
    let text = String::from_utf8_lossy(bytes);
    let has = |word: &str| text.contains(word);
    if bytes.is_empty() {
        return Some("it is empty".to_owned());
    }
    if has("-----BEGIN ") {
        return match wanted {
            // PKCS#8, and the older form that says so in a line of its own.
            Key if has("BEGIN ENCRYPTED PRIVATE KEY") || has("Proc-Type: 4,ENCRYPTED") => {
                Some(format!("it has a passphrase (openssl pkey -in {path} -out NEW removes it)"))
            }
            Key if has("BEGIN OPENSSH PRIVATE KEY") => Some(format!(
                "it is in OpenSSH format (cp {path} NEW && ssh-keygen -p -m PEM -f NEW \
                 converts it)"
            )),
            Key if !has("PRIVATE KEY-----") && has("BEGIN CERTIFICATE") => {
                Some("it holds a certificate and no key".to_owned())
            }
            Key if !has("PRIVATE KEY-----") && has("BEGIN PUBLIC KEY") => {
                Some("it holds a public key and no private one".to_owned())
            }
            Certificate if has("BEGIN CERTIFICATE REQUEST") => {
                Some("it holds a certificate request and no certificate".to_owned())
            }
            Certificate if has("BEGIN TRUSTED CERTIFICATE") => Some(format!(
                "it is in a format that only OpenSSL has (openssl x509 -in {path} -out NEW converts \
                 it)"
            )),
            Certificate if has("BEGIN PKCS7") => Some(format!(
                "it is a PKCS#7 file (openssl pkcs7 -print_certs -in {path} -out NEW converts it)"
            )),
            Certificate if !has("BEGIN CERTIFICATE") && has("PRIVATE KEY-----") => {
                Some("it holds a key and no certificate".to_owned())
            }
            _ => None,
        };
    }
    if bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) {
        return Some("it is a Java key store (keytool -importkeystore converts it)".to_owned());
    }
    let (form, command) = match (der(bytes)?, wanted) {
        (Der::Pkcs12, Key) => ("a PKCS#12 file", format!("pkcs12 -nodes -nocerts -in {path}")),
        (Der::Pkcs12, Certificate) => ("a PKCS#12 file", format!("pkcs12 -nokeys -in {path}")),
        (Der::Other, Key) => ("in DER form", format!("pkey -inform DER -in {path}")),
        (Der::Other, Certificate) => ("in DER form", format!("x509 -inform DER -in {path}")),
    };
    Some(format!("it is {form} (openssl {command} -out NEW converts it)"))
}

/// A file that is not text.
enum Der {
    Pkcs12,
    Other,
}

/// ASN.1 begins with a sequence, and PKCS#12 has its version, 3, as the first thing in it (RFC
/// 7292, section 4); a key's version is 0 or 1, and a certificate begins with another sequence.
fn der(bytes: &[u8]) -> Option<Der> {
    let (0x30, rest) = (*bytes.first()?, bytes.get(1..)?) else { return None };
    let length = usize::from(*rest.first()?);
    let longer = length.saturating_sub(0x80);
    let inside = rest.get(1 + longer..)?;
    match inside {
        [2, 1, 3, ..] => Some(Der::Pkcs12),
        [2 | 0x30, ..] => Some(Der::Other),
        _ => None,
    }
}

fn config(message: String) -> Failure {
    Failure::new(Exit::Config, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_in_another_form_is_named_with_the_command_that_converts_it() {
        let table: [(&[u8], Wanted, &str); 17] = [
            (b"", Wanted::Key, "it is empty"),
            (b"", Wanted::Certificate, "it is empty"),
            (
                b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
                Wanted::Key,
                "openssl pkey -in F -out NEW",
            ),
            (
                b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES,1\n",
                Wanted::Key,
                "it has a passphrase",
            ),
            (b"-----BEGIN OPENSSH PRIVATE KEY-----\n", Wanted::Key, "ssh-keygen -p -m PEM -f NEW"),
            (b"-----BEGIN CERTIFICATE-----\n", Wanted::Key, "holds a certificate and no key"),
            (b"-----BEGIN PUBLIC KEY-----\n", Wanted::Key, "holds a public key"),
            (b"-----BEGIN PRIVATE KEY-----\n", Wanted::Certificate, "a key and no certificate"),
            (b"-----BEGIN CERTIFICATE REQUEST-----\n", Wanted::Certificate, "request and no"),
            (b"-----BEGIN TRUSTED CERTIFICATE-----\n", Wanted::Certificate, "openssl x509 -in F"),
            (b"-----BEGIN PKCS7-----\n", Wanted::Certificate, "openssl pkcs7 -print_certs"),
            (&[0xfe, 0xed, 0xfe, 0xed, 0, 0], Wanted::Key, "keytool"),
            (&[0x30, 0x82, 9, 9, 2, 1, 3, 0x30], Wanted::Key, "openssl pkcs12 -nodes -nocerts"),
            (&[0x30, 0x82, 9, 9, 2, 1, 3, 0x30], Wanted::Certificate, "openssl pkcs12 -nokeys"),
            (&[0x30, 0x81, 9, 2, 1, 0, 0x30], Wanted::Key, "openssl pkey -inform DER -in F"),
            (&[0x30, 0x77, 2, 1, 1, 4], Wanted::Key, "openssl pkey -inform DER -in F"),
            (&[0x30, 0x82, 9, 9, 0x30, 0x82], Wanted::Certificate, "openssl x509 -inform DER"),
        ];
        for (bytes, wanted, sentence) in table {
            let failure = unfit("F", bytes, wanted, &pem::Error::NoItemsFound).to_string();
            assert!(failure.contains(sentence), "{sentence}: {failure}");
        }
    }

    #[test]
    fn a_file_of_no_known_form_is_told_as_such() {
        let told = |bytes| unfit("F", bytes, Wanted::Key, &pem::Error::NoItemsFound).to_string();
        assert_eq!(told(b"hello"), "read the key F: nothing in it in PEM form");
        let damaged = pem::Error::Base64Decode("InvalidCharacter(45)".to_owned());
        let told = unfit("F", b"-----BEGIN PRIVATE KEY-----", Wanted::Key, &damaged).to_string();
        assert_eq!(told, "read the key F: its PEM form is damaged");
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_break_nothing(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = instead("F", &bytes, Wanted::Key);
            let der = [&[0x30][..], &bytes].concat();
            let _ = instead("F", &der, Wanted::Certificate);
        }
    }
}
