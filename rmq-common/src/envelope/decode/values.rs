//! Single JSON values of a known type: strings, booleans, numbers of a range.
//!
//! Every error names the member and the expected type, never the value found.

use super::malformed::{Malformed, quoted};
use super::scanner::{Kind, Scanner};
use crate::envelope::marks::STRING;
use crate::envelope::message::Name;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::str::FromStr;

/// Refuses a value that is not of `kind`; `subject` is the member's name, `expected` what is valid.
pub(super) fn require(
    scanner: &mut Scanner<'_>,
    kind: Kind,
    subject: &str,
    expected: &str,
) -> Result<(), Malformed> {
    let found = scanner.kind()?;
    match found == kind {
        true => Ok(()),
        false => Err(Malformed::takes(scanner.offset(), subject, expected, found.name())),
    }
}

/// A string.
pub(super) fn text<'a>(
    scanner: &mut Scanner<'a>,
    subject: &str,
) -> Result<Cow<'a, str>, Malformed> {
    require(scanner, Kind::String, subject, "a string")?;
    scanner.string()
}

/// A string of at most 255 bytes.
pub(super) fn short(scanner: &mut Scanner<'_>, subject: &str) -> Result<Name, Malformed> {
    const EXPECTED: &str = "a string of at most 255 bytes";
    let offset = {
        scanner.kind()?;
        scanner.offset()
    };
    let bytes = short_bytes(scanner, subject, EXPECTED)?;
    Name::new(&bytes).map_err(|_| {
        Malformed::takes(offset, subject, EXPECTED, &format!("one of {}", bytes.len()))
    })
}

/// The bytes of a string: `"text"`, or `{"$string_base64":"..."}` if they are not UTF-8.
pub(super) fn short_bytes<'a>(
    scanner: &mut Scanner<'a>,
    subject: &str,
    expected: &str,
) -> Result<Cow<'a, [u8]>, Malformed> {
    if scanner.kind()? != Kind::Object {
        require(scanner, Kind::String, subject, expected)?;
        return Ok(match scanner.string()? {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        });
    }
    let offset = scanner.offset();
    scanner.enter();
    let bytes = match scanner.member(true)? {
        Some(name) if name.text == STRING => bytes(scanner, STRING)?,
        _ => {
            let expected = format!("{expected}, or {{\"{STRING}\":\"...\"}}");
            return Err(Malformed::takes(offset, subject, &expected, "another object"));
        }
    };
    match scanner.member(false)? {
        None => Ok(Cow::Owned(bytes)),
        Some(second) => {
            let problem = format!("{} allows no other member beside it", quoted(STRING));
            Err(Malformed::at(second.offset, problem))
        }
    }
}

/// Bytes in base64.
pub(super) fn bytes(scanner: &mut Scanner<'_>, subject: &str) -> Result<Vec<u8>, Malformed> {
    require(scanner, Kind::String, subject, "a string in base64")?;
    let offset = scanner.offset();
    let text = scanner.string()?;
    STANDARD
        .decode(text.as_bytes())
        .map_err(|error| Malformed::at(offset, format!("{}: not base64: {error}", quoted(subject))))
}

/// `true` or `false`.
pub(super) fn boolean(scanner: &mut Scanner<'_>, subject: &str) -> Result<bool, Malformed> {
    let kind = scanner.kind()?;
    match kind {
        Kind::True | Kind::False => scanner.word(kind),
        _ => {
            let offset = scanner.offset();
            return Err(Malformed::takes(offset, subject, "true or false", kind.name()));
        }
    }
    Ok(kind == Kind::True)
}

/// A number without fraction or exponent, in the range of `T`, which `range` names.
pub(super) fn integer<T: FromStr>(
    scanner: &mut Scanner<'_>,
    subject: &str,
    range: &str,
) -> Result<T, Malformed> {
    let expected = format!("an integer {range}");
    require(scanner, Kind::Number, subject, &expected)?;
    let offset = scanner.offset();
    let number = scanner.number()?;
    let found = match number.whole {
        true => "one out of that range",
        false => "a number with a fraction or an exponent",
    };
    let integer = number.text.parse().ok().filter(|_| number.whole);
    integer.ok_or_else(|| Malformed::takes(offset, subject, &expected, found))
}
