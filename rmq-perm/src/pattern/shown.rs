//! Patterns in messages, and one that no broker takes.

use std::borrow::Cow;

/// What no broker takes for a regular expression: in one request with a pattern that is only to be
/// checked, it keeps the broker from setting that. It may be seen in the broker's log, which then says
/// that setting permissions has failed.
pub const NO_PATTERN: &str = "(rmq-perm only checks a pattern";

/// More bytes of a pattern are not repeated in a message.
const LONGEST_SHOWN: usize = 200;

/// Whether a message shows only the beginning of a pattern.
pub fn is_long(pattern: &str) -> bool {
    pattern.len() > LONGEST_SHOWN
}

/// A pattern as messages show it, without the end of a long one.
pub fn shown(pattern: &str) -> Cow<'_, str> {
    if !is_long(pattern) {
        return Cow::Borrowed(pattern);
    }
    let begin: String = pattern.chars().take(LONGEST_SHOWN / 4).collect();
    Cow::Owned(format!("{begin}... ({} bytes)", pattern.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_pattern_the_beginning_is_shown() {
        assert_eq!(shown("^a$"), "^a$");
        assert_eq!(shown(&"ü".repeat(100)), "ü".repeat(100));
        assert_eq!(shown(&"ü".repeat(101)), format!("{}... (202 bytes)", "ü".repeat(50)));
    }
}
