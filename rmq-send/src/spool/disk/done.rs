//! Saying what is done, and the end of a run.

use crate::spool::disk::cursor::Cursor;
use crate::spool::disk::segment::Segment;
use crate::spool::disk::state::Shared;
use crate::spool::disk::{keeper, syncer};
use rmq_common::failure::Failure;
use rmq_common::thread::start;
use std::sync::Arc;
use std::thread::JoinHandle;

/// The sender's handle. Nothing but [`close`](Self::close) and dropping it waits for a disk.
#[derive(Debug)]
pub struct Done {
    shared: Arc<Shared>,
    keeper: Option<JoinHandle<()>>,
    syncer: Option<JoinHandle<()>>,
}

/// What a run leaves in the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Records that are not done, which the next run finds.
    pub kept: u64,
    /// Records that are not done and found no room on the disk.
    pub in_memory: u64,
}

/// How a spool stands.
#[derive(Clone, Copy, Debug)]
pub struct Gauge {
    /// Records that this run has put into it.
    pub read: u64,
    /// Records that are not done.
    pub waiting: u64,
}

impl Done {
    /// Starts the spool's own threads; `left_over` are the segments of an earlier run, which may
    /// not be on the disk itself.
    pub(super) fn start(
        shared: Arc<Shared>,
        cursor: Cursor,
        left_over: Vec<Segment>,
    ) -> Result<Self, Failure> {
        let syncer = {
            let (shared, cursor) = (Arc::clone(&shared), cursor.clone());
            thread("spool-sync", move || syncer::run(&shared, &cursor, &left_over))
        };
        // From here on dropping it ends the thread that runs.
        let mut done = Done { shared, keeper: None, syncer: None };
        done.syncer = Some(syncer?);
        let shared = Arc::clone(&done.shared);
        // Nothing can be done before this returns.
        let written = shared.lock().done;
        done.keeper = Some(thread("spool", move || keeper::run(&shared, &cursor, written))?);
        Ok(done)
    }

    /// Everything up to and including `sequence` is confirmed, or safely elsewhere.
    pub fn done(&self, sequence: u64) {
        let mut state = self.shared.lock();
        state.advance(sequence);
        let (keeper_waits, all_done) = (state.keeper_waits, state.all_done());
        drop(state);
        // It looks by itself when its pause is over.
        if keeper_waits {
            self.shared.keep.notify_one();
        }
        if all_done {
            self.shared.room.notify_one();
        }
    }

    /// The sequence number that comes next.
    pub fn next(&self) -> u64 {
        self.shared.lock().next
    }

    /// What the spool has taken from `first` on, and what waits in it, for another thread; `None`
    /// once it is closed.
    pub fn gauge(&self, first: u64) -> impl Fn() -> Option<Gauge> + Send + use<> {
        let shared = Arc::downgrade(&self.shared);
        move || {
            let shared = shared.upgrade()?;
            let state = shared.lock();
            let waiting = state.kept() + state.in_memory();
            Some(Gauge { read: state.next.saturating_sub(first), waiting })
        }
    }

    /// How many records that are not done are on the disk, exactly.
    pub fn kept(&self) -> u64 {
        self.shared.lock().kept()
    }

    /// How many records that are not done are in memory alone, because the disk is full.
    pub fn in_memory(&self) -> u64 {
        self.shared.lock().in_memory()
    }

    /// Why the spool cannot go on, where it cannot: its own threads failed. What is in it still
    /// comes out, but nothing more goes in.
    #[cfg(test)]
    pub fn failure(&self) -> Option<Failure> {
        self.shared.lock().failure.clone()
    }

    /// The writer must not wait for room any more.
    pub fn stop_writer(&self) {
        self.shared.lock().writer_stopped = true;
        self.shared.room.notify_all();
    }

    /// Neither must the writer wait for room nor the replay for records any more.
    pub fn stop(&self) {
        self.stop_writer();
        self.shared.lock().replay_stopped = true;
        self.shared.arrived.notify_all();
    }

    /// Ends the run: the cursor is written, what is done is deleted, and what is kept is on the
    /// disk itself. The writer must have ended for the last segment to be deleted.
    ///
    /// # Errors
    /// The first failure of the spool's own threads (74).
    pub fn close(mut self) -> Result<Left, Failure> {
        self.finish();
        let state = self.shared.lock();
        match &state.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(Left { kept: state.kept(), in_memory: state.in_memory() }),
        }
    }

    fn finish(&mut self) {
        self.stop();
        self.shared.lock().keeper_ends = true;
        self.shared.keep.notify_all();
        join(self.keeper.take());
        self.shared.lock().syncer_ends = true;
        self.shared.sync.notify_all();
        join(self.syncer.take());
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        self.finish();
    }
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Failure> {
    start(name, run).map_err(|error| Failure::io("start a thread for the spool", &error))
}

fn join(thread: Option<JoinHandle<()>>) {
    // It does not panic; if it did, its message is on standard error.
    let _ = thread.map(JoinHandle::join);
}
