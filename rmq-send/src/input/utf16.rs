//! Recognises UTF-16, which Windows programs write, where bytes or UTF-8 are expected.

use crate::input::framing::Format;
use rmq_common::diagnostics::Diagnostics;

/// Bytes of an input that are inspected.
const MOST: usize = 64;
/// The fewest letters in a row, each with a zero byte, that rule out chance.
const FEWEST: usize = 4;

/// Reports inputs in UTF-16.
#[derive(Debug)]
pub struct Utf16 {
    format: Format,
    diagnostics: Diagnostics,
    /// Whether one has been reported.
    reported: bool,
}

impl Utf16 {
    /// For inputs of this format.
    pub fn new(format: Format, diagnostics: Diagnostics) -> Self {
        Utf16 { format, diagnostics, reported: false }
    }

    /// Reports an input in UTF-16, once: its newlines are two bytes, so lines would be cut between
    /// them.
    pub fn begins(&mut self, source: &str, beginning: &[u8]) {
        let what = match self.format {
            Format::Lines => {
                "its bytes are sent as they are (iconv -f UTF-16 -t UTF-8 converts it)"
            }
            Format::Json => "an envelope is UTF-8 (iconv -f UTF-16 -t UTF-8 converts it)",
            Format::Nul | Format::Length | Format::Whole => return,
        };
        if !self.reported && begins(beginning) {
            self.reported = true;
            self.diagnostics.notice(&format!("{source} looks like UTF-16; {what}"));
        }
    }
}

/// Whether an input that begins like this is UTF-16: by its byte order mark, or because every
/// second byte is zero, as in mostly Latin text.
fn begins(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return true;
    }
    let letters = bytes[..bytes.len().min(MOST)].as_chunks::<2>().0;
    letters.len() >= FEWEST
        && (letters.iter().all(|[low, high]| *low != 0 && *high == 0)
            || letters.iter().all(|[high, low]| *high == 0 && *low != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn utf_16_is_recognised_with_and_without_a_mark() {
        let text = "line 1\r\nline 2\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(begins(&little) && begins(&big));
        assert!(begins(b"\xff\xfea\0") && begins(b"\xfe\xff\0a"));
        for other in [&b""[..], b"text", b"a\0b", b"\0\0\0\0\0\0\0\0", b"a\0b\0c\0d\0e\0\0\0"] {
            assert!(!begins(other), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_in_utf_8_is_taken_for_it(text in "[^\\x00]{0,40}") {
            prop_assert!(!begins(text.as_bytes()));
        }
    }
}
