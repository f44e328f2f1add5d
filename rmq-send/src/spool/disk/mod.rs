//! The queue on disk behind `--spool`: records go in at one end, come out at the other in the same
//! order, and stay until they are said to be done.
//!
//! A spool is a directory of segments, files that are only ever appended to ([`format`] has their
//! layout), and a cursor that says up to which sequence number everything is done. Sequence numbers
//! begin at 1 and go on from run to run. [`Writer`] appends, [`Replay`] reads the same files from
//! the front, [`Done`] moves the cursor; the three belong to three threads and meet in
//! [`state::Shared`]. Two threads more keep the spool: `keeper` writes the cursor and deletes what
//! is done, `syncer` puts on the disk what was written, so that none of the three waits for it.
//!
//! What is promised: an appended record survives `kill -9` at once, and a power cut after
//! [`SYNC_INTERVAL`]. It comes out once, except after a kill, a power cut or an unreadable cursor,
//! when some that were done come out again. A full disk and a damaged segment lose nothing that
//! can still be kept or read.

mod cursor;
mod damage;
mod directory;
mod done;
mod format;
mod keeper;
mod reader;
mod recovery;
mod replay;
mod state;
mod syncer;
#[cfg(test)]
mod tests;
mod writer;

#[cfg(test)]
pub use damage::Damage;
pub use directory::{Directory, sync_parent};
pub use done::Done;
#[cfg(test)]
pub use done::Left;
pub use recovery::Found;
#[cfg(test)]
pub use replay::Batch;
pub use replay::Replay;
pub use writer::{Appended, Room, Writer};

use cursor::Cursor;
use rmq_common::failure::Failure;
use state::{Shared, State};
use std::sync::Arc;
use std::time::Duration;

/// How long an appended record waits at most before it is written to the disk itself.
pub const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// The largest a segment grows, unless a single record is larger.
const LARGEST_SEGMENT: u64 = 16 << 20;

/// The way in.
#[derive(Debug)]
pub struct Spool;

impl Spool {
    /// Opens the spool in `directory`, which this process has locked, and says what an earlier run
    /// left in it. Its segments take at most `max_bytes`, unless a single record is larger.
    ///
    /// # Errors
    /// It cannot be read or written, or is of another format (74).
    pub fn open(
        directory: Arc<Directory>,
        max_bytes: u64,
    ) -> Result<(Writer, Replay, Done, Found), Failure> {
        directory.sign();
        let recovered = recovery::recover(&directory)?;
        Self::start(directory, recovered, max_bytes)
    }

    fn start(
        directory: Arc<Directory>,
        (state, cursor, found): (State, Cursor, Found),
        max_bytes: u64,
    ) -> Result<(Writer, Replay, Done, Found), Failure> {
        let left_over = state.segments.iter().copied().collect();
        let position = state.done + 1;
        let shared = Arc::new(Shared::new(directory, state));
        let done = Done::start(Arc::clone(&shared), cursor, left_over)?;
        // Eight at the least, so that room comes back in steps.
        let segment_bytes = (max_bytes / 8).min(LARGEST_SEGMENT);
        let writer = Writer::new(Arc::clone(&shared), max_bytes, segment_bytes);
        Ok((writer, Replay::new(shared, position), done, found))
    }
}
