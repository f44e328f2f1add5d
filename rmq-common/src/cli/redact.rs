//! The last guard of passwords: removes what may be one from a URL inside a diagnostic.
//!
//! Errors about URLs do not quote them. But a URL given as a file's name, or as an extra argument,
//! would appear in the sentence about that.

use crate::names::SCHEMES;

const REDACTED: &str = "***";

/// The text, with `***` for what may be a password in each URL: everything before an `@`, or, if
/// there is none, what follows the host's colon but is not a port.
pub(crate) fn redacted(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = next_url(rest) {
        let (before, url) = rest.split_at(start);
        redacted.push_str(before);
        let end = url.find(|c: char| c.is_whitespace()).unwrap_or(url.len());
        let run = url.get(..end).unwrap_or_default();
        rest = match (run.rfind('@'), password_without_host(run)) {
            (Some(at), _) => {
                redacted.push_str(REDACTED);
                url.get(at..).unwrap_or_default()
            }
            (None, Some(colon)) => {
                redacted.push_str(url.get(..=colon).unwrap_or_default());
                redacted.push_str(REDACTED);
                // The password may continue after a blank.
                url.get(url.rfind('@').unwrap_or(end)..).unwrap_or_default()
            }
            (None, None) => {
                redacted.push_str(run);
                url.get(end..).unwrap_or_default()
            }
        };
    }
    redacted.push_str(rest);
    redacted
}

/// Where what follows the `//` of the next URL begins.
fn next_url(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    SCHEMES.iter().filter_map(|scheme| Some(lower.find(scheme)? + scheme.len())).min()
}

/// The colon that no port follows.
fn password_without_host(url: &str) -> Option<usize> {
    let address =
        url.strip_prefix('[').and_then(|inside| inside.find(']')).map_or(0, |end| end + 2);
    let colon = address + url.get(address..)?.find(':')?;
    let behind = url.get(colon + 1..)?;
    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
    let is_port = match behind.get(digits..)?.chars().next() {
        // `http://host: what happened`
        None => true,
        Some(next) => digits > 0 && matches!(next, '/' | ':' | ')' | ';' | ',' | '\'' | '?'),
    };
    (!is_port).then_some(colon)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_url_with_what_may_be_a_password_is_changed() {
        let table = [
            ("open amqp://u:p@h/v: No such file", "open amqp://***@h/v: No such file"),
            ("unexpected argument 'HTTP://u:p@q@h'", "unexpected argument 'HTTP://***@h'"),
            ("connect amqp://bob:S3cr3t", "connect amqp://bob:***"),
            ("amqp://u:my pass@h: x", "amqp://u:***@h: x"),
            ("a amqp://u:p@h b amqps://v:w@i c", "a amqp://***@h b amqps://***@i c"),
        ];
        for (text, wanted) in table {
            assert_eq!(redacted(text), wanted);
        }
        for text in [
            "http://localhost:15672: user me@example.org: no such user",
            "it does not begin with amqp:// or amqps://",
            "write amqps:// instead of amqp://",
            "https://[::1]:15671/rabbit: it does not speak TLS there (http://)",
            "connect to http://h:15672/x, then",
            "nothing here",
        ] {
            assert_eq!(redacted(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_password_of_a_url_passes(
            before in ".{0,12}", password in "[^\\s@]{1,12}", after in ".{0,12}",
            scheme in prop::sample::select(SCHEMES.to_vec()),
        ) {
            let text = format!("{before} {scheme}u:<<{password}>>@h {after}");
            prop_assert!(!redacted(&text).contains(&format!("<<{password}>>")), "{text}");
        }
    }
}
