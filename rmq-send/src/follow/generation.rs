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
    pieces: Pieces,
    /// Its size when it was looked at last.
    size: u64,
    /// Since when it has not grown.
    quiet_since: Instant,
    /// Files beside it that were changed before this time are known, in nanoseconds since 1970.
    known_until: i64,
    /// Whether what it begins with was there when they were looked for.
    is_settled: bool,
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
    /// The file no longer holds what was read of it before.
    Other,
}

impl Generation {
    /// The file `file` from where it was `seen` on. The files beside it that were changed before
    /// `known_until` are known.
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
        // Else it may have been written, copied and truncated since they were looked for.
        if modified < known_until {
            generation.settle(modified);
        }
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

    /// Looks at its size; gives it if it is another one.
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

    /// When it was changed last, in nanoseconds since 1970.
    pub fn modified(&self) -> i64 {
        rustix::fs::fstat(&self.file).map_or(0, |status| identity::modified(&status))
    }

    /// The files that came before this one were all changed before that, in nanoseconds since 1970,
    /// or are known.
    pub fn known_until(&self) -> i64 {
        self.known_until
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

    /// Bytes read of a record whose end has not come.
    pub fn partial(&self) -> u64 {
        self.seen.offset() - self.pieces.ends()
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
        self.seen.extend(block);
        self.ahead = Vec::new();
        Ok(Block::Pieces(self.pieces.cut(block)))
    }

    /// Nothing more comes: what has begun is a record.
    pub fn finish(&mut self) -> Vec<Piece> {
        self.pieces.finish()
    }
}

mod content;
#[cfg(test)]
mod tests;
