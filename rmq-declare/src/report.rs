//! What is told as the run goes, and the exit status that sums it up.

use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::io::{ErrorKind, Write};

/// Lines on standard output, failures on standard error, and the worst of them.
pub struct Report {
    diagnostics: Diagnostics,
    worst: Exit,
    /// Nobody reads standard output any more, or it takes nothing: the rest of the queues are
    /// still declared.
    output_ended: bool,
    warned: bool,
}

impl Report {
    /// Nothing told yet.
    pub fn new(diagnostics: Diagnostics) -> Self {
        Report { diagnostics, worst: Exit::Ok, output_ended: false, warned: false }
    }

    /// Writes a line of data, at once, so that a reader sees it when it is true.
    pub fn line(&mut self, line: &str) {
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

    /// Tells what is worth knowing of queues that are there now, the first time only: the same
    /// holds for all of them.
    pub fn warn_once(&mut self, warnings: impl FnOnce() -> Vec<String>) {
        if !std::mem::replace(&mut self.warned, true) {
            warnings().iter().for_each(|warning| self.diagnostics.notice(warning));
        }
    }

    /// Tells a failure.
    pub fn failure(&mut self, failure: &Failure) {
        self.diagnostics.error(failure);
        self.worse(failure.exit());
    }

    /// Tells a difference that was asked for: the answer is no (1).
    pub fn difference(&mut self, difference: &Failure) {
        self.diagnostics.error(difference);
        self.worse(Exit::No);
    }

    /// The run ends with `exit`, or with something worse.
    pub fn worse(&mut self, exit: Exit) {
        self.worst = self.worst.max(exit);
    }

    /// The worst of all that happened.
    pub fn exit(&self) -> Exit {
        self.worst
    }
}
