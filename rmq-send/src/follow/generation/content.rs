//! What a file holds, compared with what was read from it and with its copies.

use super::Generation;
use crate::follow::identity;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// Bytes remembered from a file that has not been read yet.
const AHEAD: usize = 1024;

impl Generation {
    /// Whether, at a check, it still holds what was read from it, or what is to be read first.
    pub fn still_holds(&mut self) -> bool {
        let modified = self.modified();
        let holds = self.holds();
        if holds && self.is_settled() {
            self.known_until = self.known_until.max(modified);
        }
        holds
    }

    pub(super) fn holds(&self) -> bool {
        match self.seen.offset() {
            0 => self.begins_with_ahead(&self.file),
            _ => self.seen.is_in(&self.file),
        }
    }

    /// Whether it cannot have been written, copied and truncated between the last listing of the
    /// neighbouring files and the time when it had its present beginning.
    pub fn is_settled(&self) -> bool {
        self.seen.offset() > 0 || self.is_settled || self.is_lost
    }

    /// Whether the neighbouring files have to be listed, because that may have happened.
    pub fn may_have_been_emptied(&self) -> bool {
        !self.is_settled() && (self.size > 0 || self.modified() != self.known_until)
    }

    /// Called before the neighbouring files are listed at `now`: remembers how the file begins, and
    /// returns the time before which all of them will be known.
    pub fn before_look(&mut self, now: i64) -> i64 {
        let modified = self.modified();
        self.peek();
        if self.ahead.is_empty() {
            self.size = self.seen.offset();
        }
        modified.min(now)
    }

    /// The neighbouring files changed before this time are known, and this file is not a copy of
    /// one.
    pub fn settle(&mut self, known_until: i64) {
        self.known_until = known_until;
        self.is_settled = !self.ahead.is_empty();
    }

    /// It no longer has the followed name, so nothing truncates it.
    pub fn settle_rotated(&mut self) {
        self.is_settled = true;
    }

    /// Whether this file begins with everything in `other`, which may be a copy of it in progress.
    pub fn begins_with(&self, other: &File) -> bool {
        let size =
            |file: &File| rustix::fs::fstat(file).map_or(0, |status| identity::size(&status));
        let begin = beginning(other).unwrap_or_default();
        let own = beginning(&self.file).unwrap_or_default();
        !begin.is_empty() && own.starts_with(&begin) && size(other) <= size(&self.file)
    }

    /// Whether it was changed within the last `time`.
    pub fn is_fresh(&self, time: Duration) -> bool {
        let time = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        self.modified() > identity::now().saturating_sub(time)
    }

    /// Whether another file holds this one's content. False if there is nothing to compare.
    pub fn is_copied_to(&self, file: &File) -> bool {
        match self.seen.offset() {
            0 => !self.ahead.is_empty() && self.begins_with_ahead(file),
            _ => self.seen.is_in(file),
        }
    }

    fn begins_with_ahead(&self, file: &File) -> bool {
        let mut begin = vec![0; self.ahead.len()];
        file.read_exact_at(&mut begin, 0).is_ok() && begin == self.ahead
    }

    /// Remembers how it begins before it is read, so that a truncation is noticed.
    pub(super) fn peek(&mut self) {
        if self.seen.offset() > 0 || self.ahead.len() == AHEAD {
            return;
        }
        if let Ok(begin) = beginning(&self.file)
            && begin.starts_with(&self.ahead)
        {
            self.ahead = begin;
        }
    }
}

/// The first bytes of a file.
fn beginning(file: &File) -> io::Result<Vec<u8>> {
    let mut begin = vec![0; AHEAD];
    let length = file.read_at(&mut begin, 0)?;
    begin.truncate(length);
    Ok(begin)
}
