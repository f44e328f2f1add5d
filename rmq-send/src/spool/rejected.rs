//! `DIR/rejected`: what the broker refuses for good, for a person to look at.

use crate::spool::directory;
use crate::spool::state::Shared;
use rmq_common::failure::Failure;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The file, made when the first line comes.
#[derive(Debug)]
pub struct Rejected {
    directory: PathBuf,
    path: PathBuf,
    open: Option<(File, u64)>,
}

impl Rejected {
    /// In the spool's directory.
    pub fn new(directory: &Path) -> Self {
        let path = directory.join("rejected");
        Rejected { directory: directory.to_owned(), path, open: None }
    }

    /// The file's name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line; its end is added. It survives a kill at once, and a power cut after
    /// [`sync`](Self::sync).
    ///
    /// # Errors
    /// When it cannot be written (74); then nothing of it stays.
    pub fn append(&mut self, line: &[u8]) -> Result<(), Failure> {
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
        let written = self.open().and_then(|(file, end)| {
            let written = file.write_all_at(&bytes, *end);
            match written {
                Ok(()) => *end += bytes.len() as u64,
                // What was written of it would be taken for a line.
                Err(_) => file.set_len(*end)?,
            }
            written
        });
        written.map_err(|error| Shared::problem(&self.path, &error))
    }

    /// Puts on the disk what was appended. Only then are the records done. Waits for the disk.
    ///
    /// # Errors
    /// When that fails (74); trying again would prove nothing.
    pub fn sync(&self) -> Result<(), Failure> {
        let synced = self.open.as_ref().map_or(Ok(()), |(file, _)| file.sync_data());
        synced.map_err(|error| Failure::io(format!("sync spool {}", self.path.display()), &error))
    }

    /// The file and where it ends. A line that an earlier run was killed in is ended, so that the
    /// next is whole.
    fn open(&mut self) -> io::Result<&mut (File, u64)> {
        match &mut self.open {
            Some(open) => Ok(open),
            none => {
                let mut options = OpenOptions::new();
                options.read(true).write(true).create(true).truncate(false).mode(0o600);
                let file = options.open(&self.path)?;
                directory::sync(&self.directory)?;
                let mut end = file.metadata()?.len();
                let mut last = [b'\n'];
                if end > 0 {
                    file.read_exact_at(&mut last, end - 1)?;
                }
                if last != *b"\n" {
                    file.write_all_at(b"\n", end)?;
                    end += 1;
                }
                Ok(none.insert((file, end)))
            }
        }
    }
}
