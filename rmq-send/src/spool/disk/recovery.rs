//! Prepares what an earlier run left, so that this run can continue from it.
//!
//! Only the last segment can end in the middle of an entry, because every run begins a segment of
//! its own and leaves one only when it is complete; its end is checked and cut here. In the others,
//! a power cut may have lost what was not synced; that, and damaged blocks, are found when they are
//! replayed, so that starting takes no longer than reading one segment.
//!
//! The cursor and the segments reach the disk independently, so after a power cut either may be
//! older. An older cursor causes duplicates. A cursor ahead of every record in the segments says
//! nothing about them, because it may come from anywhere: they are sent again, which also causes
//! duplicates. It is corrected on disk before a number is used again, or new records might count as
//! done.

use crate::spool::disk::cursor::{Cursor, Position, unknown_version};
use crate::spool::disk::damage::{Damage, Torn};
use crate::spool::disk::directory::Directory;
use crate::spool::disk::format::{self, ENTRY, STAMP, Stamp};
use crate::spool::disk::reader::{Piece, Reader};
use crate::spool::disk::segment::Segment;
use crate::spool::disk::state::State;
use rmq_common::failure::Failure;
use std::collections::VecDeque;
use std::io::{self, Read};

/// What an earlier run left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Records that are not done. Damaged ones count until the replay finds them.
    pub records: u64,
    /// Bytes that they take in the segments.
    pub bytes: u64,
    /// An incomplete record.
    pub torn: Option<Torn>,
    /// What is wrong with segments as files; damage inside them is reported with the records.
    pub damaged: Vec<Damage>,
    /// The cursor cannot be read, or is ahead of the segments, so everything counts as not done.
    pub cursor_damaged: bool,
}

/// Reads the directory, which is locked.
///
/// # Errors
/// It cannot be read or written, or is of an unknown version (74).
pub fn recover(directory: &Directory) -> Result<(State, Cursor, Found), Failure> {
    let problem = |error| directory.problem("", &error);
    let mut segments = directory.segments()?;
    // Before anything is changed: a later version's spool must not be touched.
    let stamps = segments.iter().map(|segment| stamp(directory, segment));
    let stamps = stamps.collect::<Result<Vec<_>, _>>()?;
    let (cursor, position) = Cursor::open(directory)?;
    let mut found = Found { cursor_damaged: position == Position::Damaged, ..Found::default() };

    // The last is checked when its end is known: writing may have stopped in its stamp.
    let last_is_damaged = stamps.last() == Some(&Stamp::Damaged);
    for (segment, stamp) in segments.iter().zip(&stamps).rev().skip(1) {
        if *stamp == Stamp::Damaged {
            found.damaged.push(damaged_stamp(directory, segment));
        }
    }
    doubles(directory, &mut segments, &mut found).map_err(problem)?;
    let end = match segments.last_mut() {
        Some(last) => {
            let (torn, end) =
                cut(directory, last).map_err(|error| directory.problem(&last.name(), &error))?;
            found.torn = torn;
            if last_is_damaged && last.bytes > 0 {
                found.damaged.push(damaged_stamp(directory, last));
            }
            end
        }
        None => 1,
    };
    if segments.last().is_some_and(|last| last.bytes == 0) {
        let empty = segments.pop().map(|segment| segment.name());
        empty.map_or(Ok(()), |empty| directory.remove(&empty)).map_err(problem)?;
    }

    let done = match position {
        Position::Done(done) if done >= end && !segments.is_empty() => {
            found.cursor_damaged = true;
            0
        }
        Position::Done(done) => done,
        Position::Absent | Position::Damaged => 0,
    };
    // A segment is deleted only when it is done.
    let first = segments.first().map_or(end, |segment| segment.first);
    let done = done.max(first - 1);
    let mut state = State::new(VecDeque::from(segments), end.max(done + 1), done);
    while state.front_is_finished() {
        let Some(finished) = state.segments.pop_front() else { break };
        state.bytes -= finished.bytes;
        directory.remove(&finished.name()).map_err(problem)?;
    }
    // If only the segments' numbers show the position, those numbers must not be used again.
    cursor.write(done).map_err(problem)?;
    if found.cursor_damaged {
        cursor.sync().map_err(problem)?;
    }
    directory.sync().map_err(problem)?;
    found.records = state.next - 1 - state.done;
    let stamps = STAMP as u64 * state.segments.len() as u64;
    let done = match state.segments.front() {
        Some(front) if found.records > 0 => done_bytes(directory, front, state.done)
            .map_err(|error| directory.problem(&front.name(), &error))?,
        _ => 0,
    };
    found.bytes = state.bytes.saturating_sub(stamps + done);
    Ok((state, cursor, found))
}

fn stamp(directory: &Directory, segment: &Segment) -> Result<Stamp, Failure> {
    let name = segment.name();
    let mut bytes = Vec::new();
    directory
        .read(&name)
        .and_then(|file| file.take(STAMP as u64).read_to_end(&mut bytes))
        .map_err(|error| directory.problem(&name, &error))?;
    match format::check_segment(&bytes) {
        Stamp::Unknown(version) => Err(unknown_version(&directory.at(&segment.name()), version)),
        stamp => Ok(stamp),
    }
}

fn damaged_stamp(directory: &Directory, segment: &Segment) -> Damage {
    let file = directory.at(&segment.name());
    let aside = directory.keep_aside(&segment.name());
    Damage { file, offset: 0, bytes: segment.bytes.min(STAMP as u64), records: 0, aside }
}

/// Two segments that begin with the same number, which only a file system that lost data can leave.
/// The longer one counts; the other is kept aside.
fn doubles(
    directory: &Directory,
    segments: &mut Vec<Segment>,
    found: &mut Found,
) -> io::Result<()> {
    let mut single: Vec<Segment> = Vec::with_capacity(segments.len());
    for segment in segments.drain(..) {
        if let Some(shorter) = single.pop_if(|before| before.first == segment.first) {
            let file = directory.at(&shorter.name());
            let aside = directory.keep_aside(&shorter.name());
            if aside.is_some() {
                directory.remove(&shorter.name())?;
            }
            let damage = Damage { file, offset: 0, bytes: shorter.bytes, records: 0, aside };
            found.damaged.push(damage);
        }
        single.push(segment);
    }
    *segments = single;
    Ok(())
}

/// Bytes of the entries up to the sequence number `done`, in the segment that continues after it.
fn done_bytes(directory: &Directory, front: &Segment, done: u64) -> io::Result<u64> {
    if front.first > done {
        return Ok(0);
    }
    let mut reader = Reader::open(directory, front)?;
    while reader.next() <= done {
        match reader.read(front.bytes, done + 1)? {
            Piece::Entries(block) => {
                let left = block.entries.iter().filter(|(sequence, _)| *sequence > done);
                let left: usize = left.map(|(_, payload)| ENTRY + payload.len()).sum();
                if left > 0 {
                    return Ok(reader.offset() - left as u64 - STAMP as u64);
                }
            }
            Piece::Gap(_) => {}
            Piece::End => break,
        }
    }
    Ok(reader.offset() - STAMP as u64)
}

/// Cuts off what follows the last entry of the last segment; returns the next sequence number.
fn cut(directory: &Directory, last: &mut Segment) -> io::Result<(Option<Torn>, u64)> {
    let mut reader = Reader::open(directory, last)?;
    let (mut end, mut next) = ((STAMP as u64).min(last.bytes), last.first);
    loop {
        match reader.read(last.bytes, u64::MAX)? {
            Piece::Entries(block) => {
                end = reader.offset();
                next = block.entries.last().map_or(next, |(sequence, _)| sequence + 1);
            }
            // Followed by entries, or by nothing.
            Piece::Gap(_) => {}
            Piece::End => break,
        }
    }
    // A stamp alone holds nothing, and neither does part of one.
    let end = if end <= STAMP as u64 { 0 } else { end };
    let bytes = last.bytes - end;
    let file = directory.at(&last.name());
    last.bytes = end;
    if bytes == 0 || (end == 0 && bytes <= STAMP as u64) {
        return Ok((None, next));
    }
    let segment = directory.change(&last.name())?;
    segment.set_len(end)?;
    segment.sync_all()?;
    Ok((Some(Torn { file, offset: end, bytes }), next))
}
