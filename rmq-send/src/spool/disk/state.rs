//! The state shared by the writer, the replay, the sender and the spool's own threads.

use crate::spool::disk::batch::Batch;
use crate::spool::disk::directory::Directory;
use crate::spool::disk::segment::Segment;
use rmq_common::failure::Failure;
use std::collections::VecDeque;
use std::fs::File;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Records that have no room on the disk and pass through memory.
#[derive(Debug)]
pub struct InMemory {
    /// Their sequence numbers.
    pub sequences: Range<u64>,
    /// The records, until the replay takes them.
    pub batch: Option<Batch>,
}

/// What is not synced to disk yet.
#[derive(Debug, Default)]
pub struct Unsynced {
    /// Since when.
    pub since: Option<Instant>,
    /// Segments written to.
    pub segments: Vec<(Segment, Arc<File>)>,
    /// Whether segments were created or removed.
    pub directory: bool,
    /// Whether the cursor was written.
    pub cursor: bool,
}

/// The state, protected by [`Shared`]'s lock. Nothing holds the lock while waiting for a disk.
#[derive(Debug)]
pub struct State {
    /// In order; a segment that is being deleted is no longer here.
    pub segments: VecDeque<Segment>,
    /// Bytes that segments take, including those being deleted.
    pub bytes: u64,
    /// Whether the writer appends to the last segment.
    pub active: bool,
    /// The next sequence number.
    pub next: u64,
    /// Everything up to here is done.
    pub done: u64,
    /// Sequence numbers of damaged records that are not done.
    pub lost: VecDeque<Range<u64>>,
    /// Records in memory.
    pub memory: Option<InMemory>,
    /// Counts events that may make room.
    pub freed: u64,
    /// The writer has ended.
    pub ended: bool,
    /// The writer must not wait.
    pub writer_stopped: bool,
    /// The replay must not wait.
    pub replay_stopped: bool,
    /// The keeper has nothing to do, and waits to be woken.
    pub keeper_waits: bool,
    /// The keeper ends when nothing is left to do.
    pub keeper_ends: bool,
    /// The syncer ends after one more round.
    pub syncer_ends: bool,
    /// What is not synced to disk yet.
    pub unsynced: Unsynced,
    /// The first failure of the spool's own threads.
    pub failure: Option<Failure>,
}

impl State {
    /// The state after recovery.
    pub fn new(segments: VecDeque<Segment>, next: u64, done: u64) -> Self {
        State {
            bytes: segments.iter().map(|segment| segment.bytes).sum(),
            segments,
            active: false,
            next,
            done,
            lost: VecDeque::new(),
            memory: None,
            freed: 0,
            ended: false,
            writer_stopped: false,
            replay_stopped: false,
            keeper_waits: false,
            keeper_ends: false,
            syncer_ends: false,
            unsynced: Unsynced::default(),
            failure: None,
        }
    }

    /// Whether everything that was ever appended is done.
    pub fn all_done(&self) -> bool {
        self.done + 1 == self.next
    }

    /// Whether the oldest segment is finished: all in it is done, and no more comes.
    pub fn front_is_finished(&self) -> bool {
        match (self.segments.front(), self.segments.get(1)) {
            (Some(_), Some(next)) => next.first <= self.done + 1,
            (Some(_), None) => !self.active && self.all_done(),
            (None, _) => false,
        }
    }

    /// Whether the keeper is deleting something, or is about to.
    pub fn deletes(&self) -> bool {
        let held: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        self.front_is_finished() || held < self.bytes
    }

    /// Everything up to `sequence` is done.
    pub fn advance(&mut self, sequence: u64) {
        self.done = self.done.max(sequence.min(self.next - 1));
        // A lost record cannot become done: nothing waits for it.
        while let Some(lost) = self.lost.front().filter(|lost| lost.start <= self.done + 1) {
            self.done = self.done.max(lost.end - 1);
            self.lost.pop_front();
        }
        if self.memory.as_ref().is_some_and(|memory| memory.sequences.end <= self.done + 1) {
            self.memory = None;
        }
        if self.all_done() {
            self.freed += 1;
        }
    }

    /// Records that come after all lost before cannot be read.
    pub fn lose(&mut self, sequences: Range<u64>) {
        self.lost.push_back(sequences);
        self.advance(self.done);
    }

    /// How many records that are not done are only in memory.
    pub fn in_memory(&self) -> u64 {
        self.memory
            .as_ref()
            .map_or(0, |memory| memory.sequences.end - memory.sequences.start.max(self.done + 1))
    }

    /// How many records that are not done are on the disk.
    pub fn kept(&self) -> u64 {
        let lost: u64 = self.lost.iter().map(|lost| lost.end - lost.start).sum();
        self.next - 1 - self.done - lost - self.in_memory()
    }

    /// Notes that something has to be synced.
    pub fn changed(&mut self) -> &mut Unsynced {
        self.unsynced.since.get_or_insert_with(Instant::now);
        &mut self.unsynced
    }
}

/// The state, its lock, and the conditions that threads wait for.
#[derive(Debug)]
pub struct Shared {
    /// The spool's directory, which is locked.
    pub directory: Arc<Directory>,
    state: Mutex<State>,
    /// There may be something for the replay.
    pub arrived: Condvar,
    /// Something may have made room for the writer.
    pub room: Condvar,
    /// The keeper has something to do.
    pub keep: Condvar,
    /// The syncer has something to do.
    pub sync: Condvar,
}

impl Shared {
    /// For the spool in `directory`.
    pub fn new(directory: Arc<Directory>, state: State) -> Self {
        Shared {
            directory,
            state: Mutex::new(state),
            arrived: Condvar::new(),
            room: Condvar::new(),
            keep: Condvar::new(),
            sync: Condvar::new(),
        }
    }

    /// Locks the state, for a short while.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of the spool's own threads cannot continue.
    pub fn fail(&self, failure: Failure) {
        self.lock().failure.get_or_insert(failure);
        self.room.notify_all();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.directory.unlock();
    }
}

/// Waits; a lock released by a panicking thread is still usable.
pub fn wait<'a>(condition: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    condition.wait(state).unwrap_or_else(PoisonError::into_inner)
}
