//! What all followed files share.

use crate::follow::register::Register;
use crate::follow::watch::Watch;
use crate::input::framing::Format;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;

/// The parts, and how to follow.
#[derive(Debug)]
pub struct Tools {
    /// How far each file is read and confirmed.
    pub register: Register,
    /// Where changes are noticed.
    pub watch: Watch,
    /// Where problems are reported.
    pub diagnostics: Diagnostics,
    /// How records are delimited in the files, and how long they may be.
    pub framing: (Format, usize),
    /// Existing content is read, and then the run ends.
    pub once: bool,
    gap: Option<Failure>,
}

impl Tools {
    /// Combines these parts.
    pub fn new(
        register: Register,
        diagnostics: Diagnostics,
        framing: (Format, usize),
        once: bool,
    ) -> Self {
        Tools { register, watch: Watch::new(), diagnostics, framing, once, gap: None }
    }

    /// Something was never read and is lost, which is reported even with `--quiet`. A run that ends
    /// by itself fails with the first such gap.
    pub fn gap(&mut self, text: String) {
        let failure = Failure::new(Exit::IoErr, text);
        if self.once && self.gap.is_none() {
            self.gap = Some(failure);
        } else {
            self.diagnostics.error(&failure);
        }
    }

    /// The first gap, once.
    pub fn take_gap(&mut self) -> Option<Failure> {
        self.gap.take()
    }
}
