//! Appending: a record is in its segment's file when [`Writer::append`] returns.

use crate::spool::disk::active::Active;
use crate::spool::disk::batch::Batch;
use crate::spool::disk::cursor::no_space;
use crate::spool::disk::fit::{Fit, Space};
use crate::spool::disk::format;
use crate::spool::disk::state::{InMemory, Shared, wait};
use rmq_common::failure::Failure;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Larger buffers are not kept for the next call.
const KEPT_BUFFER: usize = 1 << 20;

/// The end at which records go in.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    max_bytes: u64,
    segment_bytes: u64,
    active: Option<Active>,
    buffer: Vec<u8>,
    /// The value of [`State::freed`](crate::spool::disk::state::State) when room was last checked.
    freed: u64,
}

/// What became of the given records. Give the rest again after [`Writer::wait_for_room`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// All are in the spool.
    All,
    /// All are taken. The disk is full although the spool is empty, so those without room pass
    /// through memory: they come out in order, and a kill loses them.
    InMemory,
    /// The bound is reached; only this many, from the first, are in the spool.
    Full(usize),
    /// The disk is full; only this many, from the first, are in the spool. Other programs may free
    /// room, so the wait for it needs a limit.
    NoSpace(usize),
}

/// Why a wait for room ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Something was freed; [`Writer::append`] finds out whether it is enough.
    Freed,
    /// The time is over.
    TimedOut,
    /// [`Done::stop_writer`](crate::spool::disk::Done::stop_writer) was called.
    Stopped,
}

impl Writer {
    /// For a spool of at most `max_bytes` in segments of about `segment_bytes`.
    pub(super) fn new(shared: Arc<Shared>, max_bytes: u64, segment_bytes: u64) -> Self {
        let (active, buffer) = (None, Vec::new());
        Writer { shared, max_bytes, segment_bytes, active, buffer, freed: 0 }
    }

    /// The sequence number that the next record is given.
    pub fn next_sequence(&self) -> u64 {
        self.shared.lock().next
    }

    /// Appends records in order, with one write per segment.
    ///
    /// # Errors
    /// Writing failed, or an earlier sync did (74). Nothing half-written stays; the first of the
    /// records may be in the spool: [`next_sequence`](Self::next_sequence) shows how many.
    pub fn append(&mut self, payloads: &[impl AsRef<[u8]>]) -> Result<Appended, Failure> {
        let mut taken = 0;
        while taken < payloads.len() {
            let (fit, next, all_done) = self.find_room(&payloads[taken..])?;
            match fit {
                Fit::NextSegment => self.leave(),
                Fit::Full => {
                    self.leave_if(all_done);
                    if !self.wait_for_keeper() {
                        return Ok(Appended::Full(taken));
                    }
                }
                Fit::Entries { count, bytes } => {
                    let some = &payloads[taken..taken + count];
                    match self.write(some, bytes, next) {
                        Ok(()) => taken += count,
                        Err((_, error)) if no_space(&error) => {
                            return self.no_space(&payloads[taken..], taken);
                        }
                        Err((name, error)) => {
                            return Err(self.shared.directory.problem(&name, &error));
                        }
                    }
                }
            }
        }
        Ok(Appended::All)
    }

    /// Waits until something is freed after the last check by [`append`](Self::append); at most for
    /// `limit`, if there is one: on a full disk, other programs may free room.
    ///
    /// # Errors
    /// One of the spool's own threads cannot continue (74).
    pub fn wait_for_room(&self, limit: Option<Duration>) -> Result<Room, Failure> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut state = self.shared.lock();
        loop {
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            if state.writer_stopped {
                return Ok(Room::Stopped);
            }
            if state.freed != self.freed {
                return Ok(Room::Freed);
            }
            state = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Ok(Room::TimedOut),
                Some(left) => {
                    let waited = self.shared.room.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => wait(&self.shared.room, state),
            };
        }
    }

    /// How many of `payloads` fit, the first one's sequence number, and whether everything is done.
    fn find_room(&mut self, payloads: &[impl AsRef<[u8]>]) -> Result<(Fit, u64, bool), Failure> {
        let (taken, next, all_done) = {
            let state = self.shared.lock();
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            self.freed = state.freed;
            (state.bytes, state.next, state.all_done())
        };
        let space = Space {
            taken,
            bound: self.max_bytes,
            used: self.active.as_ref().map(|active| active.segment.bytes),
            segment: self.segment_bytes,
        };
        Ok((space.fit(payloads)?, next, all_done))
    }

    /// Writes entries of `bytes` in all, with any new segment's stamp, in one write or not at all.
    fn write(
        &mut self,
        payloads: &[impl AsRef<[u8]>],
        bytes: u64,
        next: u64,
    ) -> Result<(), (String, io::Error)> {
        let is_new = self.active.is_none();
        let active = match &mut self.active {
            Some(active) => active,
            none => none.insert(Active::create(&self.shared.directory, next)?),
        };
        self.buffer.clear();
        if is_new {
            self.buffer.extend_from_slice(&format::segment_stamp());
        }
        for (sequence, payload) in (next..).zip(payloads) {
            let payload = payload.as_ref();
            let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
            format::encode(&mut self.buffer, active.segment.salt, sequence, length, payload);
        }
        let written = active.file.write_all_at(&self.buffer, active.segment.bytes);
        if self.buffer.capacity() > KEPT_BUFFER {
            self.buffer = Vec::new();
        }
        if let Err(error) = written {
            let name = active.segment.name();
            let restored = active.restore(&self.shared.directory, is_new);
            if is_new {
                self.active = None;
            }
            return Err((name, restored.err().unwrap_or(error)));
        }
        active.segment.bytes += bytes;
        let (segment, file) = (active.segment, Arc::clone(&active.file));
        let mut state = self.shared.lock();
        match state.segments.back_mut() {
            Some(last) if !is_new => *last = segment,
            _ => state.segments.push_back(segment),
        }
        state.active = true;
        state.bytes += bytes;
        state.next += payloads.len() as u64;
        let unsynced = state.changed();
        unsynced.directory |= is_new;
        if unsynced.segments.last().is_none_or(|(last, _)| last.first != segment.first) {
            unsynced.segments.push((segment, file));
            self.shared.sync.notify_one();
        }
        drop(state);
        self.shared.arrived.notify_one();
        Ok(())
    }

    /// The disk is full. If nothing can make room, the records at hand pass through memory, by
    /// batches.
    fn no_space(
        &mut self,
        payloads: &[impl AsRef<[u8]>],
        taken: usize,
    ) -> Result<Appended, Failure> {
        let all_done = self.shared.lock().all_done();
        if !all_done {
            return Ok(Appended::NoSpace(taken));
        }
        self.leave();
        let mut state = self.shared.lock();
        let sequences = state.next..state.next + payloads.len() as u64;
        let batch = Batch::in_memory(sequences.start, payloads);
        state.next = sequences.end;
        state.memory = Some(InMemory { sequences, batch: Some(batch) });
        drop(state);
        self.shared.arrived.notify_one();
        Ok(Appended::InMemory)
    }

    /// A segment whose records are all done only takes room.
    fn leave_if(&mut self, all_done: bool) {
        if all_done {
            self.leave();
        }
    }

    /// If something is done but not deleted yet, waits until it is: a spool is full only of what it
    /// has to keep. False if there is nothing to wait for, or waiting is no longer allowed.
    fn wait_for_keeper(&self) -> bool {
        let mut state = self.shared.lock();
        if !state.deletes() {
            return false;
        }
        self.shared.keep.notify_one();
        while state.deletes() && state.failure.is_none() && !state.writer_stopped {
            state = wait(&self.shared.room, state);
        }
        !state.writer_stopped
    }

    /// The next record goes into a new segment.
    fn leave(&mut self) {
        self.active = None;
        self.shared.lock().active = false;
        self.shared.keep.notify_one();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.leave();
        self.shared.lock().ended = true;
        self.shared.arrived.notify_one();
    }
}
