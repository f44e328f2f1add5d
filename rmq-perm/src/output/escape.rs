//! Values that cannot break their line or their column, nor steer a terminal.

/// The value with the characters that `must` not stand there as they are written as `\t`, `\n`,
/// `\r` or `\xNN`; as `\xNN` too each byte that is not UTF-8.
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

fn hex(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        text.push_str(&format!("\\x{byte:02x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_break_its_line_or_its_column() {
        let odd = b"a\tb\nc\rd\\e\xfff\x1bg\x7f";
        assert_eq!(escape(odd, char::is_control), "a\\tb\\nc\\rd\\e\\xfff\\x1bg\\x7f");
    }

    #[test]
    fn a_value_cannot_steer_the_terminal() {
        let odd = "\x1b[2J\u{9b}^a\\d".as_bytes();
        assert_eq!(escape(odd, char::is_control), "\\x1b[2J\\xc2\\x9b^a\\d");
    }
}
