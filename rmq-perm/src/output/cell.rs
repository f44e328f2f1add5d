//! A cell of tab-separated values, which survives `while IFS=$'\t' read -r`.

use rmq_common::escape::{escape, is_control};

/// The value on one line, without tabs. A backslash is doubled only if it could be taken for the
/// beginning of an escape, because patterns are full of them. The shell's `read` skips an empty
/// cell, so an empty value is `''`, which [`given`] reads back.
pub fn cell(value: &[u8]) -> String {
    if value.is_empty() {
        return "''".to_owned();
    }
    let mut parts = value.split(|byte| *byte == b'\\').map(|part| escape(part, is_control));
    let mut text = parts.next().unwrap_or_default();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let before_another = part.is_empty() && parts.peek().is_some();
        let ambiguous = before_another || part.starts_with(['t', 'n', 'r', 'x', 'u', '\\']);
        text.push_str(if ambiguous { "\\\\" } else { "\\" });
        text.push_str(&part);
    }
    text
}

/// The pattern that was meant: `''`, which is how a listing shows the empty one, becomes empty.
pub fn given(pattern: &str) -> &str {
    if pattern == "''" { "" } else { pattern }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a cell as the manual page describes.
    fn read(cell: &str) -> Vec<u8> {
        if cell == "''" {
            return Vec::new();
        }
        let mut value = Vec::new();
        let mut bytes = cell.bytes().peekable();
        while let Some(byte) = bytes.next() {
            let plain = match bytes.peek() {
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b'\\') => b'\\',
                Some(b'x') if byte == b'\\' => {
                    let digits: Vec<u8> = bytes.by_ref().skip(1).take(2).collect();
                    let digits = String::from_utf8(digits).unwrap();
                    value.push(u8::from_str_radix(&digits, 16).unwrap());
                    continue;
                }
                _ => byte,
            };
            let escapes = plain != byte || bytes.peek() == Some(&b'\\');
            if byte == b'\\' && escapes {
                bytes.next();
                value.push(plain);
            } else {
                value.push(byte);
            }
        }
        value
    }

    #[test]
    fn a_pattern_is_shown_as_it_is_written() {
        for pattern in [r"^a\.b$", r"\d+", r"^(?!amq\.).+$", "\\", "-", r"\$"] {
            assert_eq!(cell(pattern.as_bytes()), pattern);
        }
        let table = [("", "''"), (r"a\tb", r"a\\tb"), (r"\\.", r"\\\."), ("a\tb", r"a\tb")];
        for (value, shown) in table {
            assert_eq!(cell(value.as_bytes()), shown);
        }
        assert_eq!(cell(b"\\\xff\\"), "\\\\\\xff\\");
        assert_eq!((given("''"), given("'"), given(".*")), ("", "'", ".*"));
    }

    proptest! {
        #[test]
        fn every_value_is_one_cell_that_is_not_empty_and_reads_back(
            value in prop::collection::vec(prop_oneof![
                Just(b'\\'), Just(b'\t'), Just(b'\n'), Just(b't'), Just(b'x'), any::<u8>(),
            ], 0..12),
        ) {
            let cell = cell(&value);
            prop_assert!(!cell.is_empty() && !cell.contains(is_control), "{cell:?}");
            prop_assert_eq!(read(&cell), value, "{}", cell);
        }
    }
}
