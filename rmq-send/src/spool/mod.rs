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
pub use directory::sync_parent;
pub use done::Done;
#[cfg(test)]
pub use done::Left;
pub use recovery::Found;
#[cfg(test)]
pub use replay::Batch;
pub use replay::Replay;
pub use writer::{Appended, Room, Writer};

use rmq_common::failure::Failure;
use state::Shared;
use std::path::Path;
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
    /// Opens the spool in `directory`, which is made if it is absent, and says what an earlier run
    /// left in it. Its segments take at most `max_bytes`, unless a single record is larger.
    ///
    /// # Errors
    /// Another rmq-send has it (75); it cannot be read or written, or is of another format (74).
    pub fn open(
        directory: &Path,
        max_bytes: u64,
    ) -> Result<(Writer, Replay, Done, Found), Failure> {
        let lock = directory::claim(directory)?;
        let (state, cursor, found) = recovery::recover(directory)?;
        let left_over = state.segments.iter().map(|segment| segment.path(directory)).collect();
        let position = state.done + 1;
        let shared = Arc::new(Shared::new(directory.to_owned(), lock, state));
        let done = Done::start(Arc::clone(&shared), cursor, left_over)?;
        // Eight at the least, so that room comes back in steps.
        let segment_bytes = (max_bytes / 8).min(LARGEST_SEGMENT);
        let writer = Writer::new(Arc::clone(&shared), max_bytes, segment_bytes);
        Ok((writer, Replay::new(shared, position), done, found))
    }
}
