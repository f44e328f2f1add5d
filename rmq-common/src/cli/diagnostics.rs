//! Standard error: the one place that writes to it.
//!
//! Every diagnostic is one line that begins with the tool's name. Standard output is for data only,
//! so nothing here writes to it.

use crate::cli::escape::shown;
use crate::cli::failure::Failure;
use crate::cli::progress;
use crate::cli::redact::redacted;
use std::io::IsTerminal;

/// Prints diagnostics, with the chosen verbosity.
#[derive(Clone, Copy, Debug)]
pub struct Diagnostics {
    program: &'static str,
    quiet: bool,
    verbose: bool,
}

impl Diagnostics {
    /// For the tool called `program`; `quiet` keeps only errors, `verbose` adds details.
    pub fn new(program: &'static str, quiet: bool, verbose: bool) -> Self {
        Diagnostics { program, quiet, verbose }
    }

    /// The tool's name.
    pub fn program(&self) -> &'static str {
        self.program
    }

    /// Prints an error, even with `--quiet`.
    pub fn error(&self, failure: &Failure) {
        self.line(&failure.to_string());
    }

    /// Prints what the user has just asked for, even with `--quiet`.
    pub fn answer(&self, text: &str) {
        self.line(text);
    }

    /// Prints a notice that is not an error, such as a warning or a lost connection, unless
    /// `--quiet`.
    pub fn notice(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Prints a detail for a watching person: with `--verbose`, or on a terminal without `--quiet`.
    pub fn detail(&self, text: &str) {
        if self.tells_details() {
            self.line(text);
        }
    }

    /// Prints what happens, for troubleshooting: only with `--verbose`.
    pub fn trace(&self, text: &str) {
        if self.verbose {
            self.line(text);
        }
    }

    /// Whether [`detail`](Self::detail) prints anything.
    pub fn tells_details(&self) -> bool {
        self.verbose || (!self.quiet && std::io::stderr().is_terminal())
    }

    /// Whether `--verbose` was given.
    pub fn verbose(&self) -> bool {
        self.verbose
    }

    fn line(&self, text: &str) {
        progress::aside(&format!("{}: {}\n", self.program, shown(&redacted(text))));
    }
}
