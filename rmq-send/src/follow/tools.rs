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
    /// How records stand in the files, and how long they may be.
    pub framing: (Format, usize),
    /// What is there is read, and then the run ends.
    pub once: bool,
    gap: Option<Failure>,
}

impl Tools {
    /// Of these parts.
    pub fn new(
        register: Register,
        diagnostics: Diagnostics,
        framing: (Format, usize),
        once: bool,
    ) -> Self {
        Tools { register, watch: Watch::new(), diagnostics, framing, once, gap: None }
    }

    /// Something was never read and cannot be had, which is reported even with `--quiet`. A run
    /// that ends by itself fails over the first.
    pub fn gap(&mut self, text: String) {
        let failure = Failure::new(Exit::IoErr, text);
        if self.once && self.gap.is_none() {
            self.gap = Some(failure);
        } else {
            self.diagnostics.error(&failure);
        }
    }

    /// The first of it, once.
    pub fn take_gap(&mut self) -> Option<Failure> {
        self.gap.take()
    }
}
