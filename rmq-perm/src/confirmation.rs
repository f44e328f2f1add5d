//! A question on the terminal.

use rmq_common::failure::{Cause, Failure};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};

/// The terminal, even if standard input and output are redirected.
#[derive(Debug)]
pub struct Terminal(File);

impl Terminal {
    /// Opens it for the question of `option`; done first, so that a run without a terminal ends at
    /// once.
    ///
    /// # Errors
    /// There is no terminal (64): `--yes` is needed.
    pub fn open(option: &str) -> Result<Self, Failure> {
        let terminal = File::options().read(true).write(true).open("/dev/tty");
        terminal.map(Terminal).map_err(|error| {
            let why = Cause(&error);
            Failure::usage(format!(
                "{option} asks for confirmation on the terminal ({why}); without one, give --yes"
            ))
        })
    }

    /// Whether the answer is yes; anything but `y` and `yes` is no.
    ///
    /// # Errors
    /// The terminal is gone (74).
    pub fn ask(&self, question: &str) -> Result<bool, Failure> {
        let lost = |error| Failure::io("ask on /dev/tty", &error);
        let mut terminal = &self.0;
        terminal.write_all(question.as_bytes()).map_err(lost)?;
        let mut answer = String::new();
        BufReader::new(terminal).read_line(&mut answer).map_err(lost)?;
        Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
    }
}
