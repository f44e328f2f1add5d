//! Output while the tool runs, and the exit status that sums it up.

pub mod counts;

use rmq_common::diagnostics::Diagnostics;
use rmq_common::escape::{escape, is_control};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::collections::HashSet;
use std::io::{ErrorKind, IsTerminal, Write};

/// What is reported about a queue.
#[derive(Debug)]
pub enum Outcome {
    /// A line of data, with its newline.
    Line(String),
    /// A notice, printed once for all queues.
    Notice(String),
    Failure(Failure),
    /// A difference that `--check` found (1).
    Difference(Failure),
    /// Nothing is printed, but the answer is no (1).
    No,
}

/// Prints lines on standard output and failures on standard error, and keeps the worst status.
pub struct Report {
    diagnostics: Diagnostics,
    worst: Exit,
    /// On a terminal, control characters of names are escaped.
    terminal: bool,
    /// Standard output is closed or full; the other queues are still declared.
    output_ended: bool,
    noticed: HashSet<String>,
}

impl Report {
    pub fn new(diagnostics: Diagnostics) -> Self {
        Report {
            diagnostics,
            worst: Exit::Ok,
            terminal: std::io::stdout().is_terminal(),
            output_ended: false,
            noticed: HashSet::new(),
        }
    }

    /// Reports an outcome of `line` of a file.
    pub fn add(&mut self, line: Option<u64>, outcome: Outcome) {
        let placed = |failure: Failure| match line {
            Some(line) => failure.context(format!("line {line}")),
            None => failure,
        };
        match outcome {
            Outcome::Line(text) => self.line(&text),
            Outcome::Notice(text) => {
                if !self.noticed.contains(&text) {
                    self.diagnostics.notice(&text);
                    self.noticed.insert(text);
                }
            }
            Outcome::Failure(failure) => self.failure(&placed(failure)),
            Outcome::Difference(difference) => {
                self.diagnostics.error(&placed(difference));
                self.worse(Exit::No);
            }
            Outcome::No => self.worse(Exit::No),
        }
    }

    /// Writes a line of data and flushes it, so that a reader gets it at once.
    fn line(&mut self, line: &str) {
        if self.output_ended {
            return;
        }
        let shown = if self.terminal { for_terminal(line) } else { line.to_owned() };
        let mut output = std::io::stdout().lock();
        if let Err(error) = output.write_all(shown.as_bytes()).and_then(|()| output.flush()) {
            self.output_ended = true;
            if error.kind() != ErrorKind::BrokenPipe {
                self.failure(&Failure::io("write standard output", &error));
            }
        }
    }

    fn failure(&mut self, failure: &Failure) {
        self.diagnostics.error(failure);
        self.worse(failure.exit());
    }

    fn worse(&mut self, exit: Exit) {
        self.worst = self.worst.max(exit);
    }

    pub fn exit(&self) -> Exit {
        self.worst
    }
}

/// A line as a terminal may show it; its tabs and newline stay.
fn for_terminal(line: &str) -> String {
    escape(line.as_bytes(), |letter| is_control(letter) && !matches!(letter, '\t' | '\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let line = "a\u{1b}[2J\u{9b}b\u{202e}c\rd\t0\t1\n";
        let wanted = "a\\x1b[2J\\xc2\\x9bb\\xe2\\x80\\xaec\\rd\t0\t1\n";
        assert_eq!(for_terminal(line), wanted);
    }
}
