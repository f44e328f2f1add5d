//! Quoting for command lines in messages.

/// Quotes a word for a shell.
pub fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@%+=,-".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// Quotes a name as the last word of a command line, even if it begins with a hyphen.
pub fn name(text: &str) -> String {
    let word = word(text);
    if text.starts_with('-') { format!("-- {word}") } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_one_word_to_a_shell() {
        for (text, wanted) in [
            ("orders", "orders"),
            ("/", "/"),
            ("", "''"),
            ("two words", "'two words'"),
            ("it's", r"'it'\''s'"),
            ("$(reboot)", "'$(reboot)'"),
        ] {
            assert_eq!(word(text), wanted);
        }
        assert_eq!(name("-q"), "-- -q");
    }
}
