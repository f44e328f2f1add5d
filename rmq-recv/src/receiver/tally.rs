//! What became of the messages, counted.

use std::fmt;
use std::time::Instant;

/// The counts that a run ends with.
#[derive(Clone, Debug)]
pub struct Tally {
    pub received: u64,
    /// Messages written and acknowledged.
    pub acknowledged: u64,
    /// Messages given to the dead-letter exchange.
    pub dead_lettered: u64,
    /// Messages that the broker had delivered before, to us or to another client.
    pub redelivered: u64,
    /// Bodies written that have a newline in them, and so are more than one line.
    pub with_newline: u64,
    started: Instant,
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            received: 0,
            acknowledged: 0,
            dead_lettered: 0,
            redelivered: 0,
            with_newline: 0,
            started: Instant::now(),
        }
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
        write!(f, "redelivered {redelivered}, in {seconds:.3} s")
    }
}
