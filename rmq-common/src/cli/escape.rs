//! One rule for all tools: text for a terminal or for one line can neither end that line, nor move
//! the cursor, nor change the order of the display.

/// Whether a character may end a line, control a terminal, or change the direction of the text
/// around it: the controls of C0 and C1, DEL, the line and paragraph separators, and the
/// bidirectional controls (<https://www.unicode.org/reports/tr9/>, table "Explicit Directional
/// Formatting Characters", with the marks).
pub fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// The value with the characters that `must` be escaped written as `\t`, `\n`, `\r` or, byte by
/// byte, `\xNN`; each byte that is not UTF-8 also becomes `\xNN`.
pub fn escape(value: &[u8], must: fn(char) -> bool) -> String {
    let mut text = String::with_capacity(value.len());
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                _ if !must(character) => text.push(character),
                '\t' => text.push_str("\\t"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                _ => {
                    let mut bytes = [0; 4];
                    hex(character.encode_utf8(&mut bytes).as_bytes(), &mut text);
                }
            }
        }
        hex(chunk.invalid(), &mut text);
    }
    text
}

/// The text without [controls](is_control), for display. Backslashes are not escaped.
pub fn shown(text: &str) -> String {
    escape(text.as_bytes(), is_control)
}

fn hex(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        text.push_str(&format!("\\x{byte:02x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_cannot_break_its_line_or_its_column() {
        let odd = b"a\tb\nc\rd\\e\xfff\x1bg\x7f";
        assert_eq!(escape(odd, is_control), "a\\tb\\nc\\rd\\e\\xfff\\x1bg\\x7f");
    }

    #[test]
    fn a_value_cannot_steer_the_terminal() {
        assert_eq!(shown("\x1b[2J\u{9b}^a\\d"), "\\x1b[2J\\xc2\\x9b^a\\d");
        assert_eq!(shown("low on disk\u{1b}[2J\n: größer"), "low on disk\\x1b[2J\\n: größer");
    }

    #[test]
    fn a_value_cannot_turn_the_text_around() {
        assert_eq!(
            shown("a\u{202e}b\u{2066}c\u{200f}"),
            "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6c\\xe2\\x80\\x8f"
        );
        assert_eq!(
            shown("a\u{2028}b\u{2029}\u{61c}"),
            "a\\xe2\\x80\\xa8b\\xe2\\x80\\xa9\\xd8\\x9c"
        );
    }

    /// Texts in which what must be escaped is as likely as anything else.
    fn odd() -> impl Strategy<Value = String> {
        let controls = prop_oneof![
            proptest::char::range('\0', '\u{a0}'),
            proptest::char::range('\u{2000}', '\u{2070}'),
            any::<char>()
        ];
        proptest::collection::vec(controls, 0..40).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn nothing_shown_is_a_control(text in odd()) {
            let shown = shown(&text);
            prop_assert!(!shown.chars().any(is_control), "{shown:?}");
            prop_assert!(!shown.bytes().any(|byte| byte < b' ' || byte == 0x7f), "{shown:?}");
        }
    }
}
