//! Names as diagnostics show them.

use crate::cli::escape::{self, is_control};
use std::borrow::Cow;

/// A name as diagnostics show it: quoted and escaped if it contains a blank or what a terminal does
/// not show, because `q`, `q\r` and `q ` look alike.
pub fn shown(name: &str) -> Cow<'_, str> {
    if !name.is_empty()
        && !name.contains(|letter: char| letter.is_whitespace() || is_control(letter))
    {
        return Cow::Borrowed(name);
    }
    let escaped = name.chars().fold(String::new(), |mut escaped, letter| {
        if letter != ' ' && (letter.is_whitespace() || is_control(letter)) {
            escaped.extend(letter.escape_default());
        } else {
            escaped.push(letter);
        }
        escaped
    });
    Cow::Owned(format!("'{escaped}'"))
}

/// A name of any bytes as diagnostics show it: as [`shown`], with each byte that is not UTF-8 as
/// `\xNN`, in quotes.
pub fn shown_bytes(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(text) => shown(text).into_owned(),
        Err(_) => format!("'{}'", escape::escape(name, is_control)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_terminal_does_not_show_is_escaped() {
        for (name, wanted) in [
            ("jobs", "jobs"),
            ("größer:'x'", "größer:'x'"),
            ("q\r", "'q\\r'"),
            ("q ", "'q '"),
            ("a\tb\u{a0}", "'a\\tb\\u{a0}'"),
            ("\u{1b}[2J", "'\\u{1b}[2J'"),
            ("", "''"),
        ] {
            assert_eq!(shown(name), wanted);
        }
    }
}
