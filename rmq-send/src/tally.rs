//! What became of the records, counted.

use rmq_common::failure::Failure;
use std::fmt;
use std::fs::OpenOptions;
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
    started: Instant,
}

impl Default for Tally {
    fn default() -> Self {
        Tally {
            read: 0,
            confirmed: 0,
            returned: 0,
            rejected: 0,
            dropped: 0,
            nacked: 0,
            unknown: 0,
            resent: 0,
            started: Instant::now(),
        }
    }
}

impl Tally {
    /// Makes sure that the file `name` can be written, before anything else is done.
    ///
    /// # Errors
    /// It cannot (74).
    pub fn try_file(name: &str) -> Result<(), Failure> {
        let opened = OpenOptions::new().create(true).append(true).open(name);
        opened.map(drop).map_err(|error| Failure::io(format!("write {name}"), &error))
    }

    /// Writes it to the file `name`, as JSON.
    ///
    /// # Errors
    /// The file cannot be written (74).
    pub fn write(&self, name: &str) -> Result<(), Failure> {
        let mut stats = serde_json::Map::new();
        for (what, count) in self.counts() {
            stats.insert(what.to_owned(), count.into());
        }
        stats.insert("seconds".to_owned(), self.started.elapsed().as_secs_f64().into());
        let text = format!("{}\n", serde_json::Value::Object(stats));
        std::fs::write(name, text).map_err(|error| Failure::io(format!("write {name}"), &error))
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

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in self.counts() {
            write!(f, "{what} {count}, ")?;
        }
        write!(f, "in {:.3} s", self.started.elapsed().as_secs_f64())
    }
}
