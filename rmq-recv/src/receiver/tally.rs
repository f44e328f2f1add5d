//! Counts of what became of the messages.

use rmq_common::progress::Pulse;
use rmq_common::standing::figures::{Figure, Standing};
use std::fmt;
use std::time::Instant;

/// The counts that a run ends with.
#[derive(Clone, Debug)]
pub struct Tally {
    pub received: u64,
    /// Messages written and acknowledged.
    pub acknowledged: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Messages given to the dead-letter exchange.
    pub dead_lettered: u64,
    /// Messages that the broker had delivered before, to us or to another client.
    pub redelivered: u64,
    /// Messages taken and not acknowledged, during the run.
    pub unacknowledged: u64,
    /// Bodies written that contain a newline, and so are more than one line.
    pub with_newline: u64,
    started: Instant,
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            received: 0,
            acknowledged: 0,
            bytes: 0,
            dead_lettered: 0,
            redelivered: 0,
            unacknowledged: 0,
            with_newline: 0,
            started: Instant::now(),
        }
    }
}

impl Tally {
    /// The counts when nothing is held any longer.
    #[must_use]
    pub fn at_the_end(mut self) -> Self {
        self.unacknowledged = 0;
        self
    }

    /// How far the run has come, for `--progress`.
    pub fn pulse(&self) -> Pulse {
        let waiting = vec![(self.unacknowledged, "unacknowledged")];
        Pulse { done: self.acknowledged, bytes: self.bytes, waiting, behind: 0 }
    }
}

impl Standing for Tally {
    fn figures(&self) -> Vec<Figure> {
        vec![
            Figure::counter("received", self.received, "Messages received."),
            Figure::counter("acknowledged", self.acknowledged, "Messages acknowledged."),
            Figure::counter(
                "bytes_acknowledged",
                self.bytes,
                "Bytes of the bodies of acknowledged messages.",
            ),
            Figure::counter("dead_lettered", self.dead_lettered, "Messages rejected."),
            Figure::counter(
                "redelivered",
                self.redelivered,
                "Messages that had been delivered before.",
            ),
            Figure::gauge(
                "unacknowledged",
                self.unacknowledged,
                "Messages received and not acknowledged.",
            ),
            Figure::seconds(self.started.elapsed().as_secs_f64()),
        ]
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { received, acknowledged, redelivered, dead_lettered, .. } = self;
        let seconds = self.started.elapsed().as_secs_f64();
        write!(f, "received {received}, acknowledged {acknowledged}, ")?;
        if *dead_lettered > 0 {
            write!(f, "dead-lettered {dead_lettered}, ")?;
        }
        write!(f, "redelivered {redelivered}, ")?;
        if self.unacknowledged > 0 {
            write!(f, "unacknowledged {}, ", self.unacknowledged)?;
        }
        write!(f, "in {seconds:.3} s")
    }
}
