//! Reads the records back in order: an earlier run's first, then what this run appends.

use crate::spool::disk::batch::Batch;
use crate::spool::disk::damage::Damage;
use crate::spool::disk::reader::{Block, Gap, Piece, Reader};
use crate::spool::disk::segment::Segment;
use crate::spool::disk::state::{Shared, State, wait};
use rmq_common::failure::Failure;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// The end at which records come out.
#[derive(Debug)]
pub struct Replay {
    shared: Arc<Shared>,
    /// The segment that is read, by its first sequence number.
    current: Option<(u64, Reader)>,
    /// The first sequence number of the last segment read; 0 before the first.
    last: u64,
    /// The sequence number to hand over next.
    position: u64,
}

/// What there is to do next.
enum Step {
    /// Read the current segment, of which this many bytes are written, all below a sequence number.
    Read {
        segment: Segment,
        limit: u64,
    },
    Open(Segment),
    Memory(Range<u64>, Batch),
    Wait,
    End,
}

impl Replay {
    /// Begins at the sequence number `position`.
    pub(super) fn new(shared: Arc<Shared>, position: u64) -> Self {
        Replay { shared, current: None, last: 0, position }
    }

    /// The next records; waits until there are some. `None` when the writer has ended and all are
    /// handed over, or when [`Done::stop`](crate::spool::disk::Done::stop) was called.
    pub fn next(&mut self) -> Result<Option<Batch>, Failure> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        loop {
            match self.step(&mut state) {
                Step::Wait => state = wait(&shared.arrived, state),
                Step::End => return Ok(None),
                Step::Memory(sequences, batch) => {
                    self.leave();
                    self.position = sequences.end;
                    return Ok(Some(batch));
                }
                Step::Open(segment) => {
                    drop(state);
                    let reader = Reader::open(&shared.directory, &segment);
                    let reader = reader.map_err(|error| self.problem(&segment, &error))?;
                    self.current = Some((segment.first, reader));
                    state = shared.lock();
                }
                Step::Read { segment, limit } => {
                    drop(state);
                    if let Some(batch) = self.read(&segment, limit)? {
                        return Ok(Some(batch));
                    }
                    state = shared.lock();
                }
            }
        }
    }

    fn step(&mut self, state: &mut State) -> Step {
        if state.replay_stopped {
            return Step::End;
        }
        let after = self.current.as_ref().map_or(self.last, |(first, _)| *first);
        let following = state.segments.iter().find(|segment| segment.first > after).copied();
        let memory = state.memory.as_mut().filter(|memory| memory.batch.is_some());
        if let Some((first, reader)) = &self.current {
            // A separate limit, if memory holds what comes between two segments.
            let follows = following.map(|segment| segment.first);
            let through_memory = memory.as_ref().map(|memory| memory.sequences.start);
            let limits = [follows, through_memory].into_iter().flatten();
            let limit = limits.min().unwrap_or(state.next);
            match state.segments.iter().find(|segment| segment.first == *first).copied() {
                Some(segment) if reader.offset() < segment.bytes || reader.next() < limit => {
                    return Step::Read { segment, limit };
                }
                Some(_) => {}
                // It is deleted, but its room is free only once nothing has it open.
                None => self.leave(),
            }
        }
        let memory_is_next = memory.as_ref().is_some_and(|memory| {
            following.is_none_or(|segment| memory.sequences.start < segment.first)
        });
        match (memory, following) {
            (Some(memory), _) if memory_is_next => match memory.batch.take() {
                Some(batch) => Step::Memory(memory.sequences.clone(), batch),
                None => Step::Wait,
            },
            (_, Some(segment)) => {
                self.leave();
                Step::Open(segment)
            }
            (_, None) if state.ended => Step::End,
            (_, None) => Step::Wait,
        }
    }

    /// The current segment is read to its end.
    fn leave(&mut self) {
        self.last = self.current.take().map_or(self.last, |(first, _)| first);
    }

    /// Continues reading the current segment; `None` if nothing of it is to be handed over.
    fn read(&mut self, segment: &Segment, limit: u64) -> Result<Option<Batch>, Failure> {
        let Some((_, reader)) = &mut self.current else { return Ok(None) };
        match reader.read(segment.bytes, limit).map_err(|error| self.problem(segment, &error))? {
            Piece::Entries(mut block) => {
                // Those before the position were done in an earlier run.
                block.entries.retain(|(sequence, _)| *sequence >= self.position);
                let Some((last, _)) = block.entries.last() else { return Ok(None) };
                self.position = last + 1;
                Ok(Some(Batch { block, damage: None }))
            }
            Piece::Gap(gap) => Ok(self
                .damage(segment, &gap)
                .map(|damage| Batch { block: Block::default(), damage: Some(damage) })),
            Piece::End => Ok(None),
        }
    }

    /// The damage if records are lost; `None` if all of them were done.
    fn damage(&mut self, segment: &Segment, gap: &Gap) -> Option<Damage> {
        let Gap { offset, bytes, sequences } = gap;
        let done = if sequences.is_empty() {
            sequences.end < self.position
        } else {
            sequences.end <= self.position
        };
        if done {
            return None;
        }
        let lost = sequences.start.max(self.position)..sequences.end;
        let records = lost.end.saturating_sub(lost.start);
        if records > 0 {
            self.position = lost.end;
            self.shared.lock().lose(lost);
            self.shared.keep.notify_one();
        }
        let file = self.shared.directory.at(&segment.name());
        let keep = || self.shared.directory.keep_aside(&segment.name());
        let aside = (*bytes > 0).then(keep).flatten();
        Some(Damage { file, offset: *offset, bytes: *bytes, records, aside })
    }

    fn problem(&self, segment: &Segment, error: &io::Error) -> Failure {
        self.shared.directory.problem(&segment.name(), error)
    }
}
