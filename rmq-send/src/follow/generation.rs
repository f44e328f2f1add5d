//! One file that is read as it grows.

use crate::follow::fingerprint::Seen;
use crate::follow::identity::{self, Identity};
use crate::follow::pieces::{Piece, Pieces};
use crate::input::framing::Format;
use rustix::io::{pread, retry_on_intr};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A generation of a followed file: one file that has had its name.
#[derive(Debug)]
pub struct Generation {
    /// Its number in the register.
    pub number: u64,
    file: Arc<File>,
    identity: Identity,
    seen: Seen,
    /// The first bytes of the file, as long as nothing has been read from it.
    ahead: Vec<u8>,
    pieces: Pieces,
    /// Its size at the last check.
    size: u64,
    /// Since when it has not grown.
    quiet_since: Instant,
    /// Neighbouring files changed before this time are known, in nanoseconds since 1970.
    known_until: i64,
    /// Whether its present beginning was already there when the neighbouring files were listed.
    is_settled: bool,
    is_rotated: bool,
    is_lost: bool,
}

/// The result of a read.
#[derive(Debug)]
pub enum Block {
    /// The pieces it completed.
    Pieces(Vec<Piece>),
    /// There was nothing more to read.
    Empty,
    /// The file no longer holds what was read from it before.
    Other,
}

impl Generation {
    /// The file `file`, to be read from where it was `seen`. The neighbouring files that were
    /// changed before `known_until` are known.
    pub fn new(
        number: u64,
        file: Arc<File>,
        identity: Identity,
        seen: Seen,
        known_until: i64,
        (format, max_size): (Format, usize),
    ) -> Self {
        let size = seen.offset();
        let pieces = Pieces::new(format, max_size, size);
        let (is_rotated, is_lost) = (false, false);
        let mut generation = Generation {
            number,
            file,
            identity,
            seen,
            ahead: Vec::new(),
            pieces,
            size,
            quiet_since: Instant::now(),
            known_until,
            is_settled: false,
            is_rotated,
            is_lost,
        };
        generation.peek();
        let modified = generation.modified();
        // Otherwise it may have been written, copied and truncated since they were listed.
        if modified < known_until {
            generation.settle(modified);
        }
        generation
    }

    /// Which file it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether this is the file being read.
    pub fn is_file(&self, file: &File) -> bool {
        rustix::fs::fstat(file).is_ok_and(|status| Identity::of(&status) == self.identity)
    }

    /// The file itself.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// What was read from it.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Whether it no longer has the name that is followed.
    pub fn is_rotated(&self) -> bool {
        self.is_rotated
    }

    /// Notes whether it lost the name that is followed, or has it again.
    pub fn rotated(&mut self, is_rotated: bool) {
        if is_rotated && !self.is_rotated {
            self.quiet_since = Instant::now();
        }
        self.is_rotated = is_rotated;
    }

    /// What was read from it is in another file, which has the rest as well.
    pub fn moves(&mut self, file: Arc<File>, identity: Identity) {
        (self.file, self.identity) = (file, identity);
        self.rotated(true);
    }

    /// It was truncated, and what was not read is lost. Returns how many bytes, as far as is known.
    pub fn lose(&mut self) -> u64 {
        let unread = self.unread();
        self.size = self.seen.offset();
        self.is_lost = true;
        // The inode now belongs to other content.
        self.identity = Identity { device: 0, inode: 0 };
        self.is_rotated = true;
        unread
    }

    /// Whether its unread bytes are lost.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Checks its size; returns it if it has changed.
    pub fn resized(&mut self) -> Option<u64> {
        if self.is_lost {
            return None;
        }
        let status = rustix::fs::fstat(&self.file).ok()?;
        let size = identity::size(&status);
        if size == self.size {
            return None;
        }
        self.size = size;
        self.peek();
        self.quiet_since = Instant::now();
        Some(size)
    }

    /// When it was last changed, in nanoseconds since 1970.
    pub fn modified(&self) -> i64 {
        rustix::fs::fstat(&self.file).map_or(0, |status| identity::modified(&status))
    }

    /// All earlier files were changed before this time, in nanoseconds since 1970, or are known.
    pub fn known_until(&self) -> i64 {
        self.known_until
    }

    /// Bytes that existed at the last check and have not been read.
    pub fn unread(&self) -> u64 {
        self.size.saturating_sub(self.seen.offset())
    }

    /// Its size at the last check.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether it has not grown for this long.
    pub fn is_quiet(&self, time: Duration) -> bool {
        self.quiet_since.elapsed() >= time
    }

    /// Bytes read from a record whose end has not come.
    pub fn partial(&self) -> u64 {
        self.seen.offset() - self.pieces.ends()
    }

    /// Reads as many of the `unread` bytes as fit into `block`.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn read(&mut self, block: &mut [u8]) -> io::Result<Block> {
        let most = usize::try_from(self.unread()).unwrap_or(usize::MAX).min(block.len());
        let offset = self.seen.offset();
        let length = retry_on_intr(|| pread(&self.file, &mut block[..most], offset))?;
        // It may have been truncated and rewritten before these were read.
        if !self.holds() {
            return Ok(Block::Other);
        }
        if length == 0 {
            self.size = offset;
            return Ok(Block::Empty);
        }
        let block = &block[..length];
        self.seen.extend(block);
        self.ahead = Vec::new();
        Ok(Block::Pieces(self.pieces.cut(block)))
    }

    /// Nothing more comes, so an unfinished record counts as a record.
    pub fn finish(&mut self) -> Vec<Piece> {
        self.pieces.finish()
    }
}

mod content;
#[cfg(test)]
mod tests;
