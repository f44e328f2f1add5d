//! A failure: what a person is told, and the exit status it ends with.

use crate::cli::exit::Exit;
use std::fmt;

/// Why a tool cannot go on. The text is one line, written for someone who reads cron mail at
/// night: position, verb, object, cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    /// A failure that ends with `exit`; line breaks in `message` become spaces, because a
    /// diagnostic is one line.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        let message: String = message.into();
        let message = message.trim_end().replace(['\n', '\r'], " ");
        Failure { exit, message }
    }

    /// A bad command line or URL (64).
    pub fn usage(message: impl Into<String>) -> Self {
        Failure::new(Exit::Usage, message)
    }

    /// Bad data, or a name that is not there (65).
    pub fn data(message: impl Into<String>) -> Self {
        Failure::new(Exit::DataErr, message)
    }

    /// The operating system refused to read or write (74).
    pub fn io(what: impl fmt::Display, error: &std::io::Error) -> Self {
        Failure::new(Exit::IoErr, format!("{what}: {}", Cause(error)))
    }

    /// The same failure, told from further away: `context: message`.
    #[must_use]
    pub fn context(self, context: impl fmt::Display) -> Self {
        Failure { exit: self.exit, message: format!("{context}: {}", self.message) }
    }

    /// The exit status it ends with.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// An operating-system error as people know it: `No such file or directory`, without Rust's
/// ` (os error 2)`.
pub struct Cause<'a>(pub &'a std::io::Error);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let text = match text.find(" (os error ") {
            Some(end) => &text[..end],
            None => &text,
        };
        f.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line_whatever_it_is_made_of() {
        let failure = Failure::usage("first\nsecond\r\n");
        assert_eq!(failure.to_string(), "first second");
        assert_eq!(failure.context("there").to_string(), "there: first second");
    }

    #[test]
    fn an_operating_system_error_is_told_without_its_number() {
        let error = std::io::Error::from_raw_os_error(28);
        assert_eq!(Failure::io("write", &error).to_string(), "write: No space left on device");
    }
}
