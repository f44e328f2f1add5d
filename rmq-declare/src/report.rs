//! What is told as the run goes, and the exit status that sums it up.

use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::collections::HashSet;
use std::io::{ErrorKind, Write};

/// What there is to tell of a queue.
#[derive(Debug)]
pub enum Told {
    /// A line of data, with its end.
    Line(String),
    /// Something that is worth knowing, and tells itself once for all queues.
    Notice(String),
    /// It failed.
    Failure(Failure),
    /// A difference that was asked for: the answer is no (1).
    Difference(Failure),
    /// Nothing more, but the answer is no (1).
    No,
}

/// Lines on standard output, failures on standard error, and the worst of them.
pub struct Report {
    diagnostics: Diagnostics,
    worst: Exit,
    /// Nobody reads standard output any more, or it takes nothing: the rest of the queues are
    /// still declared.
    output_ended: bool,
    noticed: HashSet<String>,
}

impl Report {
    /// Nothing told yet.
    pub fn new(diagnostics: Diagnostics) -> Self {
        Report { diagnostics, worst: Exit::Ok, output_ended: false, noticed: HashSet::new() }
    }

    /// Tells what there is to tell of what stands on `line` of a file.
    pub fn tell(&mut self, line: Option<u64>, told: Told) {
        let placed = |failure: Failure| match line {
            Some(line) => failure.context(format!("line {line}")),
            None => failure,
        };
        match told {
            Told::Line(text) => self.line(&text),
            Told::Notice(text) => {
                if !self.noticed.contains(&text) {
                    self.diagnostics.notice(&text);
                    self.noticed.insert(text);
                }
            }
            Told::Failure(failure) => self.failure(&placed(failure)),
            Told::Difference(difference) => {
                self.diagnostics.error(&placed(difference));
                self.worse(Exit::No);
            }
            Told::No => self.worse(Exit::No),
        }
    }

    /// Writes a line of data, at once, so that a reader sees it when it is true.
    fn line(&mut self, line: &str) {
        if self.output_ended {
            return;
        }
        let mut output = std::io::stdout().lock();
        if let Err(error) = output.write_all(line.as_bytes()).and_then(|()| output.flush()) {
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

    /// The worst of all that happened.
    pub fn exit(&self) -> Exit {
        self.worst
    }
}
