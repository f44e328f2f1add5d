//! What an earlier run left, made ready to go on from.
//!
//! Only the last segment can end in the middle of an entry, because every run begins a segment of
//! its own and a segment is left only when it is whole; its end is looked at here and cut. Of the
//! others a power cut may have taken what was not synced yet; that, and what has rotted, is found
//! when they are replayed, so that starting takes no longer than reading one segment.
//!
//! The cursor and the segments reach the disk independently, so after a power cut either may be
//! behind. A cursor behind gives copies. A cursor ahead of every record that the segments hold says
//! nothing about them, because it may come from anywhere: they are sent again, which gives copies too.
//! It is put right on the disk before a number is given again, or it would swallow records when it
//! comes back.

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
    /// Records that are not done. Damaged ones count until the replay meets them.
    pub records: u64,
    /// Bytes that they take in the segments.
    pub bytes: u64,
    /// A record that was never whole.
    pub torn: Option<Torn>,
    /// What is wrong with segments as files; what is wrong inside them comes with the records.
    pub damaged: Vec<Damage>,
    /// The cursor cannot be read, or is ahead of the segments: all that they hold counts as not done.
    pub cursor_damaged: bool,
}

/// Reads the directory, which is locked.
///
/// # Errors
/// It cannot be read or written, or is of an unknown version (74).
pub fn recover(directory: &Directory) -> Result<(State, Cursor, Found), Failure> {
    let problem = |error| directory.problem("", &error);
    let mut segments = directory.segments()?;
    // Before anything is changed: a later version's spool is not ours to touch.
    let stamps = segments.iter().map(|segment| stamp(directory, segment));
    let stamps = stamps.collect::<Result<Vec<_>, _>>()?;
    let (cursor, position) = Cursor::open(directory)?;
    let mut found = Found { cursor_damaged: position == Position::Damaged, ..Found::default() };

    // The last is looked at when its end is known: it may have been stopped in its stamp.
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
    // What is left of a position that only the numbers of segments tell must not be told again.
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

/// Two segments that begin with the same number: only a file system that lost what it was told can
/// leave them. The longer one counts, the other is kept aside.
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

/// Bytes of the entries up to the sequence number `done` in the segment that goes on behind it.
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

/// Cuts off what is behind the last entry of the last segment, and gives the sequence number that
/// comes next.
fn cut(directory: &Directory, last: &mut Segment) -> io::Result<(Option<Torn>, u64)> {
    let mut reader = Reader::open(directory, last)?;
    let (mut end, mut next) = ((STAMP as u64).min(last.bytes), last.first);
    loop {
        match reader.read(last.bytes, u64::MAX)? {
            Piece::Entries(block) => {
                end = reader.offset();
                next = block.entries.last().map_or(next, |(sequence, _)| sequence + 1);
            }
            // Entries behind it, or nothing.
            Piece::Gap(_) => {}
            Piece::End => break,
        }
    }
    // A stamp alone holds nothing, and neither does half of one.
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
