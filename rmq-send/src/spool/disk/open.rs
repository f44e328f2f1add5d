//! The beginning of a run with a spool.

use crate::spool::disk::cursor::Cursor;
use crate::spool::disk::directory::Directory;
use crate::spool::disk::done::Done;
use crate::spool::disk::recovery::{self, Found};
use crate::spool::disk::replay::Replay;
use crate::spool::disk::state::{Shared, State};
use crate::spool::disk::writer::Writer;
use rmq_common::failure::Failure;
use std::sync::Arc;

/// The largest size of a segment, unless a single record is larger.
const LARGEST_SEGMENT: u64 = 16 << 20;

/// Opens the spool.
#[derive(Debug)]
pub struct Spool;

impl Spool {
    /// Opens the spool in `directory`, which this process has locked, and returns what an earlier
    /// run left in it. Its segments take at most `max_bytes`, unless a single record is larger.
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

    pub(super) fn start(
        directory: Arc<Directory>,
        (state, cursor, found): (State, Cursor, Found),
        max_bytes: u64,
    ) -> Result<(Writer, Replay, Done, Found), Failure> {
        let left_over = state.segments.iter().copied().collect();
        let position = state.done + 1;
        let shared = Arc::new(Shared::new(directory, state));
        let done = Done::start(Arc::clone(&shared), cursor, left_over)?;
        // At least eight, so that room is freed in steps.
        let segment_bytes = (max_bytes / 8).min(LARGEST_SEGMENT);
        let writer = Writer::new(Arc::clone(&shared), max_bytes, segment_bytes);
        Ok((writer, Replay::new(shared, position), done, found))
    }
}
