//! The cursor: the sequence number up to which everything is done.
//!
//! A file of one small block, overwritten in place, so that once it exists it needs no room on a
//! full disk. Losing it causes duplicates, never lost records.

use crate::spool::disk::directory::Directory;
use crate::spool::disk::format::{self, Stamp};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// The name of its file.
pub const NAME: &str = "cursor";

/// The cursor's file.
#[derive(Clone, Debug)]
pub struct Cursor(Arc<File>);

/// What the file said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Everything up to here is done.
    Done(u64),
    /// There was none.
    Absent,
    /// It cannot be read.
    Damaged,
}

impl Cursor {
    /// Opens the cursor of `directory`.
    ///
    /// # Errors
    /// It cannot be opened or read, or is of another version (74).
    pub fn open(directory: &Directory) -> Result<(Self, Position), Failure> {
        let problem = |error| directory.problem(NAME, &error);
        let mut file = directory.write(NAME).map_err(problem)?;
        let mut bytes = Vec::new();
        (&mut file).take(64).read_to_end(&mut bytes).map_err(problem)?;
        let position = match format::parse_cursor(&bytes) {
            Ok(done) => Position::Done(done),
            Err(Stamp::Unknown(version)) => {
                return Err(unknown_version(&directory.at(NAME), version));
            }
            Err(_) if bytes.is_empty() => Position::Absent,
            Err(_) => Position::Damaged,
        };
        Ok((Cursor(Arc::new(file)), position))
    }

    /// A cursor in another file, which fails as a test needs.
    #[cfg(test)]
    pub fn of(file: File) -> Self {
        Cursor(Arc::new(file))
    }

    /// Writes the position. A full disk is not an error: it is written once there is room.
    pub fn write(&self, done: u64) -> io::Result<()> {
        match self.0.write_all_at(&format::cursor(done), 0) {
            Err(error) if no_space(&error) => Ok(()),
            result => result,
        }
    }

    /// Syncs the file to disk.
    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// Whether an error says that the disk, or the user's share of it, is full.
pub fn no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The error about a file that a later version has written. Nothing in it is changed.
pub fn unknown_version(path: &Path, version: u32) -> Failure {
    let text = format!("spool {}: version {version} is not supported", path.display());
    Failure::new(Exit::IoErr, text)
}
