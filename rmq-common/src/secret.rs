//! A password: never shown, wherever it may be printed by mistake.

use crate::exit::Exit;
use crate::failure::{Cause, Failure};
use std::fmt;
use zeroize::Zeroizing;

/// A secret text. Its `Debug` form, and with it every error and log line, says `***`. Its memory is
/// wiped when it is dropped (lapin's own copy, kept while it connects, is not).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps `text` from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that must send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Reads a password from the file called `path`: its first line, without the line's end.
///
/// # Errors
/// When it cannot be read, is not UTF-8, or is empty (78).
pub fn read_file(path: &str) -> Result<Secret, Failure> {
    let problem = |why: &dyn fmt::Display| {
        Failure::new(Exit::Config, format!("read the password from {path}: {why}"))
    };
    let text = Zeroizing::new(std::fs::read(path).map_err(|error| problem(&Cause(&error)))?);
    let text = std::str::from_utf8(&text).map_err(|_| problem(&"it is not UTF-8"))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Secret::new(line)),
        _ => Err(problem(&"its first line is empty")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }
}
