//! Backslash escapes on a command line: `\n`, `\t`, `\r`, `\0`, `\\` and `\xHH`.

use std::str::Chars;

/// The byte of an escape, after its backslash.
///
/// # Errors
/// A sentence that names the invalid escape.
pub fn escaped(letters: &mut Chars<'_>) -> Result<u8, String> {
    Ok(match letters.next() {
        Some('n') => b'\n',
        Some('t') => b'\t',
        Some('r') => b'\r',
        Some('0') => 0,
        Some('\\') => b'\\',
        Some('x') => {
            let digits = letters
                .as_str()
                .get(..2)
                .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let byte = byte.ok_or("\\x needs two hexadecimal digits")?;
            letters.nth(1);
            byte
        }
        Some(other) => return Err(format!("\\{other} means nothing")),
        None => return Err("it ends in the middle of a \\".to_owned()),
    })
}

/// Replaces the escapes of a text, which need not be UTF-8.
///
/// # Errors
/// As [`escaped`].
pub fn unescape(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        let mut letters = chunk.valid().chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => bytes.push(escaped(&mut letters)?),
                other => bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        bytes.extend_from_slice(chunk.invalid());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_escape_stands_for_one_byte_and_a_slip_is_named() {
        assert_eq!(
            unescape(b"a\\t\\0\\r\\n\\\\\\x41\\xfFz\xc3\xa4\xff\\n").unwrap(),
            b"a\t\0\r\n\\A\xffz\xc3\xa4\xff\n"
        );
        for (text, why) in [
            ("\\q", "\\q means nothing"),
            ("a\\", "in the middle of a \\"),
            ("\\x4", "two hexadecimal digits"),
            ("\\x\u{e4}\u{e4}", "two hexadecimal digits"),
        ] {
            assert!(unescape(text.as_bytes()).unwrap_err().contains(why), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_written(bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let text: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            prop_assert_eq!(unescape(text.as_bytes()).unwrap(), bytes);
        }
    }
}
