//! Reports what is done, and ends a run.

use crate::spool::disk::cursor::Cursor;
use crate::spool::disk::segment::Segment;
use crate::spool::disk::state::Shared;
use crate::spool::disk::{keeper, syncer};
use rmq_common::failure::Failure;
use rmq_common::thread::start;
use std::sync::Arc;
use std::thread::JoinHandle;

/// The sender's handle. Only [`close`](Self::close) and dropping it wait for a disk.
#[derive(Debug)]
pub struct Done {
    shared: Arc<Shared>,
    keeper: Option<JoinHandle<()>>,
    syncer: Option<JoinHandle<()>>,
}

/// What a run leaves in the spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Records that are not done; the next run finds them.
    pub kept: u64,
    /// Records that are not done and have no room on the disk.
    pub in_memory: u64,
}

/// The state of a spool, in numbers.
#[derive(Clone, Copy, Debug)]
pub struct Gauge {
    /// Records that this run has added.
    pub read: u64,
    /// Records that are not done.
    pub waiting: u64,
}

impl Done {
    /// Starts the spool's own threads; an earlier run's segments, `left_over`, may not be synced
    /// yet.
    pub(super) fn start(
        shared: Arc<Shared>,
        cursor: Cursor,
        left_over: Vec<Segment>,
    ) -> Result<Self, Failure> {
        let syncer = {
            let (shared, cursor) = (Arc::clone(&shared), cursor.clone());
            thread("spool-sync", move || syncer::run(&shared, &cursor, &left_over))
        };
        // From here on, dropping it ends the thread that runs.
        let mut done = Done { shared, keeper: None, syncer: None };
        done.syncer = Some(syncer?);
        let shared = Arc::clone(&done.shared);
        // Nothing can become done before this returns.
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
        // Otherwise it checks by itself when its pause is over.
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

    /// What the spool has taken from `first` on and what waits, for another thread; `None` once
    /// closed.
    pub fn gauge(&self, first: u64) -> impl Fn() -> Option<Gauge> + Send + use<> {
        let shared = Arc::downgrade(&self.shared);
        move || {
            let shared = shared.upgrade()?;
            let state = shared.lock();
            let waiting = state.kept() + state.in_memory();
            Some(Gauge { read: state.next.saturating_sub(first), waiting })
        }
    }

    /// How many records on disk are not done, exactly.
    pub fn kept(&self) -> u64 {
        self.shared.lock().kept()
    }

    /// How many records that are not done are only in memory, because the disk is full.
    pub fn in_memory(&self) -> u64 {
        self.shared.lock().in_memory()
    }

    /// Why the spool cannot continue, if its threads failed. Its content still comes out.
    #[cfg(test)]
    pub fn failure(&self) -> Option<Failure> {
        self.shared.lock().failure.clone()
    }

    /// The writer no longer waits for room.
    pub fn stop_writer(&self) {
        self.shared.lock().writer_stopped = true;
        self.shared.room.notify_all();
    }

    /// The writer no longer waits for room, nor the replay for records.
    pub fn stop(&self) {
        self.stop_writer();
        self.shared.lock().replay_stopped = true;
        self.shared.arrived.notify_all();
    }

    /// Ends the run: writes the cursor, deletes what is done, and syncs what is kept. The last
    /// segment is deleted only if the writer has ended.
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
    // It does not panic; if it did, the panic message is on standard error.
    let _ = thread.map(JoinHandle::join);
}
