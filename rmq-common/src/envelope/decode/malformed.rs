//! Why a line is not an envelope: a column and a sentence.

use crate::cli::nearest::nearest;
use std::fmt;

/// The longest name that is quoted, in characters: a member's name helps to find the mistake, but
/// the content of a message does not belong in a diagnostic.
const LONGEST_NAME: usize = 40;

/// What is wrong with a line, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The column in the line, in bytes, from 1, of the wrong member, value or byte.
    pub column: usize,
    /// The sentence, without the column.
    problem: String,
}

impl Malformed {
    /// `problem` with what starts after `offset` bytes of the line.
    pub(super) fn at(offset: usize, problem: impl Into<String>) -> Self {
        Malformed { column: offset + 1, problem: problem.into() }
    }

    /// The value after `offset` bytes has the wrong type for `subject`.
    pub(super) fn takes(offset: usize, subject: &str, expected: &str, found: &str) -> Self {
        Malformed::at(offset, format!("{} takes {expected}, not {found}", quoted(subject)))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.problem)
    }
}

impl std::error::Error for Malformed {}

/// A name in quotes, shortened if it is long.
pub(super) fn quoted(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("\"{}...\"", name.get(..end).unwrap_or_default()),
        None => format!("\"{name}\""),
    }
}

/// `; did you mean "body"?` if one of `names` is near `name`; else empty.
pub(super) fn suggestion<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> String {
    nearest(name, names).map(|it| format!("; did you mean \"{it}\"?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_a_long_name_is_quoted() {
        assert_eq!(quoted("bdoy"), "\"bdoy\"");
        assert_eq!(quoted(&"ä".repeat(40)), format!("\"{}\"", "ä".repeat(40)));
        assert_eq!(quoted(&"ä".repeat(41)), format!("\"{}...\"", "ä".repeat(40)));
    }

    #[test]
    fn a_name_that_is_nearly_right_is_suggested() {
        let names = ["body", "body_base64", "priority", "id"];
        let suggestion = |name| suggestion(name, names.into_iter());
        assert_eq!(suggestion("bdoy"), "; did you mean \"body\"?");
        assert_eq!(suggestion("prioriti"), "; did you mean \"priority\"?");
        assert_eq!(suggestion("body-base_64"), "; did you mean \"body_base64\"?");
        for unlike in ["", "payload", "more", &"b".repeat(100_000)] {
            assert_eq!(suggestion(unlike), "", "{:.20}", unlike);
        }
    }
}
