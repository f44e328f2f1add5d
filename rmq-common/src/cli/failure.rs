//! A failure: its message and its exit status.

use crate::cli::exit::Exit;
use std::fmt;

/// Why a tool cannot continue, in one line for a reader of cron mail: position, verb, object,
/// cause.
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

    /// An invalid command line or URL (64).
    pub fn usage(message: impl Into<String>) -> Self {
        Failure::new(Exit::Usage, message)
    }

    /// Invalid data, or a name that does not exist (65).
    pub fn data(message: impl Into<String>) -> Self {
        Failure::new(Exit::DataErr, message)
    }

    /// The operating system refused to read or write (74).
    pub fn io(what: impl fmt::Display, error: &std::io::Error) -> Self {
        Failure::new(Exit::IoErr, format!("{what}: {}", Cause(error)))
    }

    /// The same failure with a prefix: `context: message`.
    #[must_use]
    pub fn context(self, context: impl fmt::Display) -> Self {
        Failure { exit: self.exit, message: format!("{context}: {}", self.message) }
    }

    /// The same failure; if it is about the command line, with a pointer to the options.
    #[must_use]
    pub fn with_way_on(mut self) -> Self {
        if self.exit == Exit::Usage {
            self.message.push_str(" (see --help)");
        }
        self
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

/// An operating-system error in the usual words: `No such file or directory`, without Rust's ` (os
/// error 2)`.
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
