//! One file that is read as it grows.

use crate::follow::fingerprint::Seen;
use crate::follow::identity::{self, Identity};
use crate::input::cut::{Cut, Cutter};
use crate::input::framing::Format;
use crate::input::marks::Mark;
use rustix::io::{pread, retry_on_intr};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes remembered of a file that nothing is read of yet.
const AHEAD: usize = 1024;

/// A generation of a followed file.
#[derive(Debug)]
pub struct Generation {
    /// Its number in the register.
    pub number: u64,
    file: Arc<File>,
    identity: Identity,
    seen: Seen,
    /// The first bytes of what is not read yet, while nothing is.
    ahead: Vec<u8>,
    cutter: Cutter,
    /// Where the last record that was cut ends.
    ends: u64,
    /// A record that is longer than allowed began there, and its end has not come.
    begun: Option<u64>,
    /// Its size when it was looked at last.
    size: u64,
    /// Since when it has not grown.
    quiet_since: Instant,
    /// When it had been changed last then.
    modified: i64,
    is_rotated: bool,
    is_lost: bool,
}

/// What a read gave.
#[derive(Debug)]
pub enum Block {
    /// What it completed.
    Pieces(Vec<Piece>),
    /// The file turned out to have no more.
    Empty,
    /// The file does not hold any more what was read of it before.
    Other,
}

/// What was cut of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// Records, and where they are.
    Cuts(Vec<Cut>, Vec<(u64, u64)>),
    /// A record that is longer than allowed, from its first byte to behind its end.
    Long(u64, u64),
}

impl Generation {
    /// The file `file` from where it was `seen` on.
    pub fn new(
        number: u64,
        file: Arc<File>,
        identity: Identity,
        seen: Seen,
        (format, max_size): (Format, usize),
    ) -> Self {
        let ends = seen.offset();
        let cutter = Cutter::new(format, max_size);
        let (begun, size, quiet_since) = (None, ends, Instant::now());
        let (is_rotated, is_lost) = (false, false);
        let mut generation = Generation {
            number,
            file,
            identity,
            seen,
            ahead: Vec::new(),
            cutter,
            ends,
            begun,
            size,
            quiet_since,
            modified: 0,
            is_rotated,
            is_lost,
        };
        generation.modified = generation.modified_now();
        generation.peek();
        generation
    }

    /// Which file it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether it is this file that is read.
    pub fn is_file(&self, file: &File) -> bool {
        rustix::fs::fstat(file).is_ok_and(|status| Identity::of(&status) == self.identity)
    }

    /// The file itself.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// What was read of it.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Whether it has another name than the one that is followed, or none.
    pub fn is_rotated(&self) -> bool {
        self.is_rotated
    }

    /// It has another name now, or the one that is followed again.
    pub fn rotated(&mut self, is_rotated: bool) {
        if is_rotated && !self.is_rotated {
            self.quiet_since = Instant::now();
        }
        self.is_rotated = is_rotated;
    }

    /// What was read of it is in another file, where the rest is as well.
    pub fn moves(&mut self, file: Arc<File>, identity: Identity) {
        (self.file, self.identity) = (file, identity);
        self.rotated(true);
    }

    /// It was truncated, and what was not read cannot be had. How many bytes that are, as far as is
    /// known.
    pub fn lose(&mut self) -> u64 {
        let unread = self.unread();
        self.size = self.seen.offset();
        self.is_lost = true;
        // The file of that identity is another one now.
        self.identity = Identity { device: 0, inode: 0 };
        self.is_rotated = true;
        unread
    }

    /// Whether it was.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Looks at its size; if it has another one, gives it and the time of its last change.
    pub fn resized(&mut self) -> Option<(u64, i64)> {
        if self.is_lost {
            return None;
        }
        let status = rustix::fs::fstat(&self.file).ok()?;
        let size = identity::size(&status);
        if size == self.size {
            return None;
        }
        self.size = size;
        self.modified = identity::modified(&status);
        self.peek();
        self.quiet_since = Instant::now();
        Some((size, self.modified))
    }

    /// When it was changed last, in nanoseconds since 1970.
    pub fn modified_now(&self) -> i64 {
        rustix::fs::fstat(&self.file).map_or(0, |status| identity::modified(&status))
    }

    /// When it was changed last while it held what was read of it, in nanoseconds since 1970.
    pub fn changed_at_last(&self) -> i64 {
        if self.is_lost { self.modified } else { self.modified_now() }
    }

    /// When it was changed last before the last look, in nanoseconds since 1970.
    pub fn changed(&self) -> i64 {
        self.modified
    }

    /// Bytes that were there at the last look and are not read.
    pub fn unread(&self) -> u64 {
        self.size.saturating_sub(self.seen.offset())
    }

    /// Its size when it was looked at last.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether it has not grown for so long.
    pub fn is_quiet(&self, time: Duration) -> bool {
        self.quiet_since.elapsed() >= time
    }

    /// Whether it still holds what was read of it, or is to be read first.
    pub fn holds(&self) -> bool {
        match self.seen.offset() {
            0 => self.begins_with_ahead(&self.file),
            _ => self.seen.is_in(&self.file),
        }
    }

    /// Whether it was changed, but was empty when it was looked at last: it may have been written,
    /// copied and truncated meanwhile.
    pub fn may_have_been_emptied(&self) -> bool {
        let is_new = self.seen.offset() == 0 && self.ahead.is_empty() && !self.is_lost;
        is_new && self.modified_now() != self.modified
    }

    /// Whether another file holds something that this one does not begin with.
    pub fn differs_from(&self, file: &File) -> bool {
        let begin = |file: &File| {
            let mut begin = vec![0; AHEAD];
            let length = file.read_at(&mut begin, 0).unwrap_or(0);
            begin.truncate(length);
            begin
        };
        let [own, other] = [&*self.file, file].map(begin);
        let most = own.len().min(other.len());
        !other.is_empty() && (own.is_empty() || own[..most] != other[..most])
    }

    /// Whether another file holds that. If there is nothing to tell by, it does not.
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

    /// Remembers how it begins while nothing is read of it, so that a truncation is noticed.
    fn peek(&mut self) {
        if self.seen.offset() > 0 || self.ahead.len() == AHEAD {
            return;
        }
        let mut begin = vec![0; AHEAD];
        if let Ok(length) = self.file.read_at(&mut begin, 0) {
            begin.truncate(length);
            if begin.starts_with(&self.ahead) {
                self.ahead = begin;
            }
        }
    }

    /// Bytes read of a record whose end has not come.
    pub fn partial(&self) -> u64 {
        self.seen.offset() - self.ends
    }

    /// Reads up to so many bytes of those that are `unread`.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn read(&mut self, block: &mut [u8]) -> io::Result<Block> {
        let most = usize::try_from(self.unread()).unwrap_or(usize::MAX).min(block.len());
        let offset = self.seen.offset();
        let length = retry_on_intr(|| pread(&self.file, &mut block[..most], offset))?;
        // It may have been truncated, and written anew, before these were read.
        if !self.holds() {
            return Ok(Block::Other);
        }
        if length == 0 {
            self.size = offset;
            return Ok(Block::Empty);
        }
        let block = &block[..length];
        let mut cuts = Vec::new();
        // The framings that are followed are never broken.
        let _ = self.cutter.cut(block, &mut cuts);
        self.seen.extend(block);
        self.ahead = Vec::new();
        Ok(Block::Pieces(self.pieces(cuts, 1)))
    }

    /// Nothing more comes: what has begun is a record.
    pub fn finish(&mut self) -> Vec<Piece> {
        let mut cuts = Vec::new();
        let _ = self.cutter.finish(&mut cuts);
        self.pieces(cuts, 0)
    }

    /// Where each record is. One that is too long is not handed over before its end has come, so
    /// that nothing comes between its parts.
    fn pieces(&mut self, cuts: Vec<Cut>, delimiter: u64) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let (mut records, mut places) = (Vec::new(), Vec::new());
        for cut in cuts {
            let begins = self.ends;
            match cut {
                Cut::Record(bytes) => {
                    self.ends += bytes.len() as u64 + delimiter;
                    records.push(Cut::Record(bytes));
                    places.push((begins, self.ends));
                }
                Cut::TooLong { bytes, more: false } => {
                    self.ends += bytes.len() as u64;
                    records.push(Cut::TooLong { bytes, more: false });
                    places.push((begins, self.ends));
                }
                Cut::TooLong { bytes, more: true } => {
                    self.begun = Some(begins);
                    self.ends += bytes.len() as u64;
                }
                Cut::Rest { bytes, more: true } => self.ends += bytes.len() as u64,
                Cut::Rest { bytes, more: false } => {
                    self.ends += bytes.len() as u64 * delimiter;
                    if !records.is_empty() {
                        let (records, places) = (&mut records, &mut places);
                        pieces.push(Piece::Cuts(std::mem::take(records), std::mem::take(places)));
                    }
                    let begins = self.begun.take().unwrap_or(begins);
                    pieces.push(Piece::Long(begins, self.ends));
                }
            }
        }
        if !records.is_empty() {
            pieces.push(Piece::Cuts(records, places));
        }
        pieces
    }
}

/// The marks of records of one file, the first of which has this number.
pub fn marks(
    places: &[(u64, u64)],
    file: u64,
    name: &Arc<str>,
    first: u64,
) -> impl Iterator<Item = Mark> {
    let numbered = places.iter().zip(first..);
    numbered.map(move |((begins, ends), number)| Mark {
        number,
        file,
        name: Arc::clone(name),
        begins: *begins,
        ends: *ends,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn generation(bytes: &[u8], max_size: usize) -> Generation {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let identity = Identity { device: 0, inode: 0 };
        let framing = (Format::Lines, max_size);
        Generation::new(0, Arc::new(file), identity, Seen::default(), framing)
    }

    fn places(generation: &mut Generation, block: usize) -> Vec<(u64, u64)> {
        let mut block = vec![0; block];
        let mut places = Vec::new();
        generation.resized();
        while let Block::Pieces(pieces) = generation.read(&mut block).unwrap() {
            places.extend(pieces.into_iter().flat_map(|piece| match piece {
                Piece::Cuts(_, places) => places,
                Piece::Long(begins, ends) => vec![(begins, ends)],
            }));
            if generation.unread() == 0 {
                break;
            }
        }
        places
    }

    #[test]
    fn a_record_is_where_it_stands_however_it_is_read() {
        let text = b"one\n\nfour\nlonger than it may be\nlast\nnot whol";
        let all = [(0, 4), (4, 5), (5, 10), (10, 32), (32, 37)];
        for block in 1..text.len() {
            let mut generation = generation(text, 8);
            assert_eq!(places(&mut generation, block), all, "by {block}");
            assert_eq!(generation.partial(), 8);
            assert!(
                matches!(&generation.finish()[..], [Piece::Cuts(_, places)] if places == &[(37, 45)])
            );
        }
    }

    #[test]
    fn a_long_record_that_never_ends_counts_when_its_file_is_over() {
        let text = b"one\nlonger than it may be";
        for block in 1..text.len() {
            let mut generation = generation(text, 8);
            assert_eq!(places(&mut generation, block), [(0, 4)]);
            assert_eq!(generation.finish(), [Piece::Long(4, 25)]);
        }
    }

    #[test]
    fn a_file_that_is_truncated_before_anything_is_read_of_it_is_found_out_and_so_is_its_copy() {
        let generation = generation(b"first\nsecond\n", 80);
        let other = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            file
        };
        assert!(generation.holds());
        assert!(generation.is_copied_to(&other(b"first\nsecond\nthird\n")));
        assert!(!generation.is_copied_to(&other(b"first\n")));
        generation.file().set_len(0).unwrap();
        assert!(!generation.holds());
        let mut writer: &File = generation.file();
        io::Seek::rewind(&mut writer).unwrap();
        writer.write_all(b"fifth, and longer than before\n").unwrap();
        assert!(!generation.holds());
    }

    #[test]
    fn a_new_file_that_was_written_copied_and_truncated_between_two_looks_is_found_out() {
        let generation = generation(b"", 80);
        let mut writer: &File = generation.file();
        assert!(!generation.may_have_been_emptied());
        writer.write_all(b"first\n").unwrap();
        let mut copy = tempfile::tempfile().unwrap();
        assert!(!generation.differs_from(&copy));
        copy.write_all(b"first\n").unwrap();
        // As long as it is not truncated, nothing is lost.
        assert!(!generation.differs_from(&copy));
        generation.file().set_len(0).unwrap();
        let later = std::time::SystemTime::now() + Duration::from_secs(1);
        generation.file().set_modified(later).unwrap();
        assert!(generation.may_have_been_emptied());
        assert!(generation.differs_from(&copy));
        io::Seek::rewind(&mut writer).unwrap();
        writer.write_all(b"second\n").unwrap();
        assert!(generation.differs_from(&copy));
    }
}
