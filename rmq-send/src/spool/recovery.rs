//! What an earlier run left, made ready to go on from.
//!
//! Only the last segment can end in the middle of an entry, because every run begins a segment of
//! its own and a segment is left only when it is whole; its end is looked at here and cut. Of the
//! others a power cut may have taken what was not synced yet; that, and what has rotted, is found
//! when they are replayed, so that starting takes no longer than reading one segment.
//!
//! The cursor and the segments reach the disk independently, so after a power cut either may be
//! behind. A cursor behind gives copies. A cursor ahead means that the records between were done;
//! their numbers are not given again, or a cursor that comes back would swallow records.

use crate::spool::cursor::{Cursor, Position, unknown_version};
use crate::spool::damage::{Damage, Torn};
use crate::spool::directory;
use crate::spool::format::{self, STAMP, Stamp};
use crate::spool::reader::{Piece, Reader};
use crate::spool::state::{Segment, Shared, State};
use rmq_common::failure::Failure;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// What an earlier run left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Records that are not done. Damaged ones count until the replay meets them.
    pub records: u64,
    /// Bytes of the segments they are in.
    pub bytes: u64,
    /// A record that was never whole.
    pub torn: Option<Torn>,
    /// What is wrong with segments as files; what is wrong inside them comes with the records.
    pub damaged: Vec<Damage>,
    /// The cursor cannot be read: all that the segments hold counts as not done.
    pub cursor_damaged: bool,
}

/// Reads the directory, which is locked.
///
/// # Errors
/// It cannot be read or written, or is of an unknown version (74).
pub fn recover(directory: &Path) -> Result<(State, Cursor, Found), Failure> {
    let problem = |error| Shared::problem(directory, &error);
    let mut segments = directory::segments(directory).map_err(problem)?;
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
            let (torn, end) = cut(directory, last)
                .map_err(|error| Shared::problem(&last.path(directory), &error))?;
            found.torn = torn;
            if last_is_damaged && last.bytes > 0 {
                found.damaged.push(damaged_stamp(directory, last));
            }
            end
        }
        None => 1,
    };
    if segments.last().is_some_and(|last| last.bytes == 0) {
        let empty = segments.pop().map(|segment| segment.path(directory));
        empty.map_or(Ok(()), std::fs::remove_file).map_err(problem)?;
    }

    let done = match position {
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
        std::fs::remove_file(finished.path(directory)).map_err(problem)?;
    }
    // What is left of a position that only the numbers of segments tell must not be told again.
    cursor.write(done).map_err(problem)?;
    directory::sync(directory).map_err(problem)?;
    found.records = state.next - 1 - state.done;
    found.bytes = state.bytes;
    Ok((state, cursor, found))
}

fn stamp(directory: &Path, segment: &Segment) -> Result<Stamp, Failure> {
    let path = segment.path(directory);
    let mut bytes = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(STAMP as u64).read_to_end(&mut bytes))
        .map_err(|error| Shared::problem(&path, &error))?;
    match format::check_segment(&bytes) {
        Stamp::Unknown(version) => Err(unknown_version(&path, version)),
        stamp => Ok(stamp),
    }
}

fn damaged_stamp(directory: &Path, segment: &Segment) -> Damage {
    let file = segment.path(directory);
    let aside = directory::keep_aside(&file);
    Damage { file, offset: 0, bytes: segment.bytes.min(STAMP as u64), records: 0, aside }
}

/// Two segments that begin with the same number: only a file system that lost what it was told can
/// leave them. The longer one counts, the other is kept aside.
fn doubles(directory: &Path, segments: &mut Vec<Segment>, found: &mut Found) -> io::Result<()> {
    let mut single: Vec<Segment> = Vec::with_capacity(segments.len());
    for segment in segments.drain(..) {
        if let Some(shorter) = single.pop_if(|before| before.first == segment.first) {
            let file = shorter.path(directory);
            let aside = directory::keep_aside(&file);
            if aside.is_some() {
                std::fs::remove_file(&file)?;
            }
            let damage = Damage { file, offset: 0, bytes: shorter.bytes, records: 0, aside };
            found.damaged.push(damage);
        }
        single.push(segment);
    }
    *segments = single;
    Ok(())
}

/// Cuts off what is behind the last entry of the last segment, and gives the sequence number that
/// comes next.
fn cut(directory: &Path, last: &mut Segment) -> io::Result<(Option<Torn>, u64)> {
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
    let file = last.path(directory);
    last.bytes = end;
    if bytes == 0 || (end == 0 && bytes <= STAMP as u64) {
        return Ok((None, next));
    }
    let segment = OpenOptions::new().write(true).open(&file)?;
    segment.set_len(end)?;
    segment.sync_all()?;
    Ok((Some(Torn { file, offset: end, bytes }), next))
}
