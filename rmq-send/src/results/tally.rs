//! Counts of what became of the records.

use rmq_common::progress::Pulse;
use rmq_common::standing::figures::{Figure, Standing};
use std::fmt;
use std::time::Instant;

/// The counts that a run ends with.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Records read.
    pub read: u64,
    /// Records the cluster has confirmed.
    pub confirmed: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Records that were returned: no queue takes them.
    pub returned: u64,
    /// Records that are in `--rejects`, or in the spool's rejected file.
    pub rejected: u64,
    /// Records that a filter dropped: envelopes with an id and no body, under `--ack-to`.
    pub dropped: u64,
    /// Times a record was nacked.
    pub nacked: u64,
    /// Records that were sent and whose fate is unknown.
    pub unknown: u64,
    /// Times a record was sent again.
    pub resent: u64,
    /// Records in the window, during the run.
    pub unconfirmed: u64,
    /// Records in the spool.
    pub spooled: Option<u64>,
    /// Bytes of followed files that are not confirmed.
    pub behind: Option<u64>,
    started: Instant,
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            read: 0,
            confirmed: 0,
            bytes: 0,
            returned: 0,
            rejected: 0,
            dropped: 0,
            nacked: 0,
            unknown: 0,
            resent: 0,
            unconfirmed: 0,
            spooled: None,
            behind: None,
            started: Instant::now(),
        }
    }
}

impl Tally {
    /// How far the run has come, for `--progress`.
    pub fn pulse(&self) -> Pulse {
        let spooled = self.spooled.unwrap_or(0);
        let waiting = vec![(self.unconfirmed, "unconfirmed"), (spooled, "spooled")];
        let behind = self.behind.unwrap_or(0);
        Pulse { done: self.confirmed, bytes: self.bytes, waiting, behind }
    }

    fn counts(&self) -> [(&'static str, u64); 8] {
        [
            ("read", self.read),
            ("confirmed", self.confirmed),
            ("returned", self.returned),
            ("rejected", self.rejected),
            ("dropped", self.dropped),
            ("nacked", self.nacked),
            ("unknown", self.unknown),
            ("resent", self.resent),
        ]
    }
}

impl Standing for Tally {
    fn figures(&self) -> Vec<Figure> {
        let mut figures = vec![
            Figure::counter("read", self.read, "Records read."),
            Figure::counter("confirmed", self.confirmed, "Records confirmed."),
            Figure::counter(
                "bytes_confirmed",
                self.bytes,
                "Bytes of the bodies of confirmed records.",
            ),
            Figure::counter("returned", self.returned, "Records that no queue takes."),
            Figure::gauge("rejected", self.rejected, "Records in the rejects."),
            Figure::counter("dropped", self.dropped, "Envelopes that a filter dropped."),
            Figure::counter("nacked", self.nacked, "Times the broker did not take a record."),
            Figure::gauge(
                "unknown",
                self.unknown,
                "Records sent whose fate is unknown at the end.",
            ),
            Figure::counter("resent", self.resent, "Times a record was sent again."),
            Figure::gauge("unconfirmed", self.unconfirmed, "Records read and not confirmed."),
        ];
        let spooled = self.spooled.map(|it| Figure::gauge("spooled", it, "Records in the spool."));
        let behind = self.behind.map(|it| {
            Figure::gauge("bytes_behind", it, "Bytes of followed files that are not confirmed.")
        });
        figures.extend(spooled.into_iter().chain(behind));
        figures.push(Figure::seconds(self.started.elapsed().as_secs_f64()));
        figures
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in self.counts() {
            write!(f, "{what} {count}, ")?;
        }
        if self.unconfirmed > 0 {
            write!(f, "unconfirmed {}, ", self.unconfirmed)?;
        }
        if let Some(spooled) = self.spooled {
            write!(f, "spooled {spooled}, ")?;
        }
        if let Some(behind) = self.behind {
            write!(f, "bytes behind {behind}, ")?;
        }
        write!(f, "in {:.3} s", self.started.elapsed().as_secs_f64())
    }
}
