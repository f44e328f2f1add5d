//! What became of the records, counted.

use rmq_common::failure::Failure;
use rmq_common::files;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
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
    /// Bytes of followed files that are not confirmed.
    pub behind: Option<u64>,
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
            behind: None,
            started: Instant::now(),
        }
    }
}

impl Tally {
    /// It as JSON, in a line.
    fn json(&self) -> String {
        let mut stats = serde_json::Map::new();
        for (what, count) in self.counts() {
            stats.insert(what.to_owned(), count.into());
        }
        if let Some(behind) = self.behind {
            stats.insert("bytes_behind".to_owned(), behind.into());
        }
        stats.insert("seconds".to_owned(), self.started.elapsed().as_secs_f64().into());
        format!("{}\n", serde_json::Value::Object(stats))
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

/// The file that the tally is written to.
#[derive(Debug)]
pub struct StatsFile {
    name: String,
    file: File,
    /// What is in it is not ours alone, as where a shell has opened it.
    is_shared: bool,
}

impl StatsFile {
    /// Opens the file `name`, before anything else is done; what is in it stays for now.
    pub fn open(name: &str) -> Result<Self, Failure> {
        let path = Path::new(name);
        let is_shared = files::is_descriptor(path);
        let behind = if is_shared { OFlags::APPEND } else { OFlags::empty() };
        let flags = OFlags::WRONLY | OFlags::CREATE | behind;
        let opened = files::open(path, flags, Mode::from_raw_mode(0o666));
        let file = opened.and_then(|file| {
            files::wait(&file)?;
            Ok(File::from(file))
        });
        let file = file.map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::NXIO) => io::Error::other("nothing reads it"),
            _ => error,
        });
        let name = name.to_owned();
        match file {
            Ok(file) => Ok(StatsFile { name, file, is_shared }),
            Err(error) => Err(Failure::io(format!("write {name}"), &error)),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Writes the tally in place of what is there.
    pub fn write(mut self, tally: &Tally) -> Result<(), Failure> {
        let is_regular = self.file.metadata().is_ok_and(|metadata| metadata.is_file());
        let emptied = if is_regular && !self.is_shared { self.file.set_len(0) } else { Ok(()) };
        emptied
            .and_then(|()| self.file.write_all(tally.json().as_bytes()))
            .map_err(|error| Failure::io(format!("write {}", self.name), &error))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in self.counts() {
            write!(f, "{what} {count}, ")?;
        }
        if let Some(behind) = self.behind {
            write!(f, "bytes behind {behind}, ")?;
        }
        write!(f, "in {:.3} s", self.started.elapsed().as_secs_f64())
    }
}
