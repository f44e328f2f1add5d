//! Matches patterns as the broker does. The API shows the patterns but cannot match them, so that
//! is done here, with the library that Erlang uses.

use pcre2::bytes::RegexBuilder;

/// Whether RabbitMQ would allow `name` by `pattern`. As there, a match that takes too long is none.
pub fn allows(pattern: &str, name: &str) -> bool {
    // RabbitMQ reads the empty pattern in this way; otherwise it would match anything.
    let pattern = if pattern.is_empty() { "^$" } else { pattern };
    // Bytes, not characters; and names are too short for compilation to machine code to pay off.
    let regex = RegexBuilder::new().build(pattern);
    regex.is_ok_and(|regex| regex.is_match(name.as_bytes()).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_not_anchored_and_the_empty_one_allows_nothing() {
        assert!(allows("foo", "xfoox"));
        assert!(!allows("^foo$", "xfoox"));
        assert!(allows(".*", "anything"));
        assert!(!allows("", "anything"));
        assert!(allows("^$", ""));
    }

    #[test]
    fn what_only_perls_expressions_have_is_known() {
        assert!(allows("^(?!amq\\.).*$", "jobs"));
        assert!(!allows("^(?!amq\\.).*$", "amq.topic"));
        assert!(allows("^(a|b)\\1$", "aa"));
        assert!(allows("(?i)^JOBS$", "jobs"));
        assert!(allows("^(?<year>\\d{4})-\\k<year>$", "2026-2026"));
    }

    #[test]
    fn bytes_are_matched_and_a_match_without_end_is_none() {
        assert!(allows("^..$", "ü"));
        assert!(allows("ü", "grün"));
        assert!(!allows("^(a+)+$", &format!("{}b", "a".repeat(200))));
        assert!(!allows("(", "("));
    }
}
