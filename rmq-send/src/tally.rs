//! What became of the records, counted.

use std::fmt;
use std::time::Instant;

/// The counts that a run ends with.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Records read.
    pub read: u64,
    /// Records the cluster has confirmed.
    pub confirmed: u64,
    /// Records that were returned: no queue takes them.
    pub returned: u64,
    /// Times a record was nacked.
    pub nacked: u64,
    /// Records that were sent and whose fate is unknown.
    pub unknown: u64,
    /// Times a record was sent again.
    pub resent: u64,
    started: Instant,
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            read: 0,
            confirmed: 0,
            returned: 0,
            nacked: 0,
            unknown: 0,
            resent: 0,
            started: Instant::now(),
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { read, confirmed, returned, nacked, unknown, resent, started } = self;
        let seconds = started.elapsed().as_secs_f64();
        write!(f, "read {read}, confirmed {confirmed}, returned {returned}, nacked {nacked}, ")?;
        write!(f, "unknown {unknown}, resent {resent}, in {seconds:.3} s")
    }
}
