//! A file that records are appended to, and in which only whole ones stay.

use crate::spool;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The file.
#[derive(Debug)]
pub struct RecordFile {
    file: File,
    /// Where whole records end in a file that can be cut there; what comes behind is not whole.
    end: Option<u64>,
    /// Whether all that was written is known to be on the disk.
    synced: bool,
}

impl RecordFile {
    /// Opens the file `name`, which is made if it is absent. A last record without `ending`, of a
    /// run that was killed or of another program, gets it.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn open(name: &Path, ending: &[u8]) -> io::Result<Self> {
        let opened = OpenOptions::new().read(true).append(true).create(true).open(name);
        // A FIFO, or a file that may only be written.
        let opened = opened.or_else(|_| OpenOptions::new().append(true).create(true).open(name));
        let file = opened?;
        let metadata = file.metadata()?;
        let end = metadata.is_file().then_some(metadata.len());
        if end == Some(0) {
            match spool::sync_parent(name) {
                // Who may not look into the directory cannot do more for the file's name in it.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                synced => synced?,
            }
        }
        let mut opened = RecordFile { file, end, synced: true };
        if let (Some(length @ 1..), [ending]) = (end, ending) {
            let mut last = [0];
            if opened.file.read_exact_at(&mut last, length - 1).is_ok() && last != [*ending] {
                opened.append(&[*ending])?;
                opened.whole();
            }
        }
        Ok(opened)
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Whether it has something in it, as far as that can be told.
    pub fn has_records(&self) -> bool {
        self.end.is_some_and(|end| end > 0)
    }

    /// Appends to what is not whole yet.
    ///
    /// # Errors
    /// It is not in the file, and neither is anything else behind the last whole record.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.synced = false;
        let written = self.file.write_all(bytes);
        if written.is_err() {
            self.take_back();
        }
        written
    }

    /// What is behind the last whole record goes.
    pub fn take_back(&mut self) {
        if let Some(end) = self.end {
            // Where that fails the file is beyond help.
            let _ = self.file.set_len(end);
        }
    }

    /// All that is in the file is whole.
    pub fn whole(&mut self) {
        if let (Some(end), Ok(metadata)) = (&mut self.end, self.file.metadata()) {
            *end = metadata.len();
        }
    }

    /// Makes sure that what was appended is on the disk.
    ///
    /// # Errors
    /// It may not be; trying again would prove nothing.
    pub fn sync(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.synced, true) {
            return Ok(());
        }
        match self.file.sync_data() {
            // A FIFO or a terminal has no disk.
            Err(error) if error.raw_os_error() == Some(EINVAL) => Ok(()),
            synced => synced,
        }
    }
}

const EINVAL: i32 = rustix::io::Errno::INVAL.raw_os_error();
