//! A question to the person at the terminal.

use rmq_common::failure::{Cause, Failure};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};

/// The terminal, which is there even where standard input and output are something else.
#[derive(Debug)]
pub struct Terminal(File);

impl Terminal {
    /// Opens it, for what `option` asks. To be done before anything else is, so that nobody waits for nothing.
    ///
    /// # Errors
    /// When there is none (64): then somebody has to say yes beforehand.
    pub fn open(option: &str) -> Result<Self, Failure> {
        let terminal = File::options().read(true).write(true).open("/dev/tty");
        terminal.map(Terminal).map_err(|error| {
            let why = Cause(&error);
            Failure::usage(format!("{option} asks on the terminal ({why}); give --yes without one"))
        })
    }

    /// Whether the answer is yes; anything but `y` and `yes` is no.
    ///
    /// # Errors
    /// When the terminal is gone (74).
    pub fn ask(&self, question: &str) -> Result<bool, Failure> {
        let lost = |error| Failure::io("ask on /dev/tty", &error);
        let mut terminal = &self.0;
        terminal.write_all(question.as_bytes()).map_err(lost)?;
        let mut answer = String::new();
        BufReader::new(terminal).read_line(&mut answer).map_err(lost)?;
        Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
    }
}
