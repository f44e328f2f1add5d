//! Passes arguments of any bytes through argh, which accepts only text.
//!
//! A byte that is not part of UTF-8 is mapped to a character of Unicode's last private plane, and
//! back at the end. Such a character on the real command line is encoded as its bytes in the same
//! way, so each command line has one form and survives unchanged.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;

/// The character for the byte 0. Only bytes from 0x80 on can be invalid UTF-8.
const ZERO: u32 = 0x10_ff00;

/// The value of an option that takes bytes; its `arg_name` is one of [`BYTES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

/// The names of the values of options that take bytes. [`utf_8`] reads an option of such a name
/// that is text.
pub(crate) const BYTES: &[&str] =
    &["ENCODING", "HEADER", "ID", "KEY", "SEP", "TEXT", "TYPE", "auto|ID"];

impl FromStr for Bytes {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        Ok(Bytes(bytes(word)))
    }
}

/// Encodes a word of the command line.
pub(crate) fn encode(word: &OsStr) -> String {
    let mut encoded = String::with_capacity(word.len());
    let mut letter = [0; 4];
    for chunk in word.as_bytes().utf8_chunks() {
        for character in chunk.valid().chars() {
            match byte(character) {
                Some(_) => push(&mut encoded, character.encode_utf8(&mut letter).as_bytes()),
                None => encoded.push(character),
            }
        }
        push(&mut encoded, chunk.invalid());
    }
    encoded
}

/// The text of an encoded word.
///
/// # Errors
/// It is not UTF-8; returns what can be shown of it.
pub(crate) fn text(encoded: &str) -> Result<String, String> {
    String::from_utf8(bytes(encoded))
        .map_err(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The value of a text option whose value name usually means bytes.
///
/// # Errors
/// It is not UTF-8.
pub fn utf_8(value: &str) -> Result<String, String> {
    text(value).map_err(|_| "it is not UTF-8".to_owned())
}

fn bytes(encoded: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut letter = [0; 4];
    for character in encoded.chars() {
        match byte(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut letter).as_bytes()),
        }
    }
    bytes
}

/// The byte that a character encodes.
fn byte(character: char) -> Option<u8> {
    let byte = u32::from(character).checked_sub(ZERO)?;
    u8::try_from(byte).ok().filter(|byte| !byte.is_ascii())
}

fn push(encoded: &mut String, bytes: &[u8]) {
    encoded.extend(bytes.iter().filter_map(|byte| char::from_u32(ZERO + u32::from(*byte))));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_text_passes_as_it_is_and_what_is_none_is_told_from_it() {
        let word = |bytes: &[u8]| encode(OsStr::from_bytes(bytes));
        assert_eq!(word("--body=größer".as_bytes()), "--body=größer");
        assert_eq!(text(&word("ä\u{10ffff}".as_bytes())), Ok("ä\u{10ffff}".to_owned()));
        assert!(word(b"--body=caf\xe9").starts_with("--body=caf"));
        assert_eq!(text(&word(b"caf\xe9")), Err("caf\u{fffd}".to_owned()));
    }

    proptest! {
        #[test]
        fn any_bytes_come_back_as_they_were(
            word in proptest::collection::vec(
                prop_oneof![Just(vec![0xf4, 0x8f, 0xbf, 0xbf]), any::<u8>().prop_map(|b| vec![b])],
                0..20,
            ),
        ) {
            let word = word.concat();
            let Ok(back) = encode(OsStr::from_bytes(&word)).parse::<Bytes>();
            prop_assert_eq!(back.0, word);
        }
    }
}
