//! Reads one segment from its beginning, a block at a time, past any damage in it.

use crate::spool::disk::directory::Directory;
use crate::spool::disk::format::{self, Checksum, Decoded, ENTRY, STAMP};
use crate::spool::disk::segment::Segment;
use rustix::fs::SeekFrom;
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// How much is read at a time; one entry always has room.
const BLOCK: u64 = 256 << 10;

/// A place in a segment.
#[derive(Debug)]
pub struct Reader {
    file: File,
    salt: u32,
    offset: u64,
    next: u64,
}

/// Consecutive entries.
#[derive(Debug, Default)]
pub struct Block {
    pub bytes: Vec<u8>,
    /// Their sequence numbers, and the ranges of their payloads.
    pub entries: Vec<(u64, Range<usize>)>,
}

/// What is at a place.
#[derive(Debug)]
pub enum Piece {
    Entries(Block),
    /// Bytes that are not an entry.
    Gap(Gap),
    /// The end of what is written.
    End,
}

/// A part of a segment that cannot be read.
#[derive(Debug)]
pub struct Gap {
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
    /// The sequence numbers that are missing.
    pub sequences: Range<u64>,
}

impl Reader {
    /// Starts at the first entry of a segment.
    pub fn open(directory: &Directory, segment: &Segment) -> io::Result<Self> {
        let file = directory.read(&segment.name())?;
        Ok(Reader { file, salt: segment.salt, offset: STAMP as u64, next: segment.first })
    }

    /// The sequence number that is expected next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Where the next piece begins, in bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The next piece of the segment, of which `end` bytes are written. Sequence numbers below
    /// `limit` that are not in them are lost.
    pub fn read(&mut self, end: u64, limit: u64) -> io::Result<Piece> {
        let mut want = BLOCK;
        loop {
            let available = end.saturating_sub(self.offset);
            if available == 0 && self.next >= limit {
                return Ok(Piece::End);
            }
            let asked = available.min(want);
            let mut block = Block { bytes: self.bytes(self.offset, asked)?, entries: Vec::new() };
            let mut position = 0;
            let stopped = loop {
                let rest = &block.bytes[position..];
                let (left, expected) = (available - position as u64, self.next..self.next + 1);
                match format::decode(rest, self.salt, left, &expected) {
                    Decoded::Entry { sequence, payload } => {
                        let payload = position + payload.start..position + payload.end;
                        position = payload.end;
                        self.next += 1;
                        block.entries.push((sequence, payload));
                    }
                    other => break other,
                }
            };
            self.offset += position as u64;
            match stopped {
                _ if !block.entries.is_empty() => return Ok(Piece::Entries(block)),
                // Unless the file has become shorter, there is more.
                Decoded::Needs(bytes)
                    if block.bytes.len() as u64 == asked
                        && asked < available
                        && self.is_whole(self.offset, bytes as u64)? =>
                {
                    want = bytes as u64;
                }
                _ => return self.skip(available, limit).map(Piece::Gap),
            }
        }
    }

    /// Skips to the next entry, or to the end.
    fn skip(&mut self, available: u64, limit: u64) -> io::Result<Gap> {
        let (start, end) = (self.offset, self.offset + available);
        // An entry has a minimum size, so only a limited number can fit into these bytes. That
        // makes the search fast, and rules out most false matches.
        let most = self.next.saturating_add(1 + available / ENTRY as u64);
        let sequences = self.next..limit.min(most);
        let (offset, next) = self.find(end, &sequences)?.unwrap_or((end, limit));
        let gap = Gap { offset: start, bytes: offset - start, sequences: self.next..next };
        self.offset = offset;
        self.next = next;
        Ok(gap)
    }

    /// Where the first entry of one of `sequences` begins between here and `end`, and its sequence
    /// number. Takes no more memory than a block, however long that is.
    fn find(&self, end: u64, sequences: &Range<u64>) -> io::Result<Option<(u64, u64)>> {
        let mut at = self.offset;
        while end - at >= ENTRY as u64 {
            at = self.data(at).min(end);
            let bytes = self.bytes(at, BLOCK.min(end - at))?;
            let mut from = 0;
            while let Some((offset, found)) =
                format::find(&bytes, self.salt, end - at, sequences, from)
            {
                let place = at + offset as u64;
                match found {
                    Decoded::Entry { sequence, .. } => return Ok(Some((place, sequence))),
                    Decoded::Needs(length) if self.is_whole(place, length as u64)? => {
                        return Ok(Some((place, format::sequence(&bytes[offset..]))));
                    }
                    Decoded::Needs(_) | Decoded::Bad => from = offset + 1,
                }
            }
            // A head may begin in this block and end in the next.
            match bytes.len().saturating_sub(ENTRY - 1) {
                0 => break,
                passed => at += passed as u64,
            }
        }
        Ok(None)
    }

    /// The first place from `offset` on where an entry may begin: never in a hole of the file.
    fn data(&self, offset: u64) -> u64 {
        match rustix::fs::seek(&self.file, SeekFrom::Data(offset)) {
            // Its first bytes may be zeros.
            Ok(data) => offset.max(data.saturating_sub(ENTRY as u64)),
            Err(Errno::NXIO) => u64::MAX,
            // The file system does not support this.
            Err(_) => offset,
        }
    }

    /// Whether the entry of `length` bytes at `offset` is intact. Until then its head, which may
    /// say 4 GiB, is not trusted.
    fn is_whole(&self, offset: u64, length: u64) -> io::Result<bool> {
        let mut checksum = Checksum::new(self.salt);
        let mut read = 0;
        while read < length {
            let bytes = self.bytes(offset + read, BLOCK.min(length - read))?;
            if bytes.is_empty() {
                return Ok(false);
            }
            checksum.update(&bytes);
            read += bytes.len() as u64;
        }
        Ok(checksum.holds())
    }

    /// The `length` bytes from `offset` on; fewer if the file has become shorter.
    fn bytes(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.file.read_at(&mut bytes[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}
