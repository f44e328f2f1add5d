//! `--rejects`: what could not be sent, in the input's own framing, so that it can be run again.

use crate::framing::Format;
use crate::record::Raw;
use rmq_common::failure::Failure;
use std::fs::{File, OpenOptions};
use std::io::Write;

/// The file of rejects.
#[derive(Debug)]
pub struct Rejects {
    name: String,
    file: File,
    format: Format,
    /// A record that is too long to be held is being written; what is rejected meanwhile waits.
    passing: bool,
    waiting: Vec<u8>,
    /// Whether all that was written is known to be on the disk.
    synced: bool,
}

impl Rejects {
    /// Opens the file `name` to append records of `format`.
    ///
    /// # Errors
    /// It cannot be written (74).
    pub fn open(name: &str, format: Format) -> Result<Self, Failure> {
        let opened = OpenOptions::new().append(true).create(true).open(name);
        let file = opened.map_err(|error| Failure::io(format!("write {name}"), &error))?;
        Ok(Rejects {
            name: name.to_owned(),
            file,
            format,
            passing: false,
            waiting: Vec::new(),
            synced: true,
        })
    }

    /// The file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Appends a record.
    ///
    /// # Errors
    /// It is not in the file (74).
    pub fn record(&mut self, raw: &[u8]) -> Result<(), Failure> {
        let mut framed = Vec::with_capacity(raw.len() + 4);
        self.format.frame(raw, &mut framed);
        self.write(&framed)
    }

    /// Appends what there is of a record that cannot be sent.
    ///
    /// # Errors
    /// It is not in the file (74).
    pub fn bad(&mut self, raw: &Raw) -> Result<(), Failure> {
        match raw {
            Raw::Whole(raw) => self.record(raw),
            Raw::Begun { bytes, more } => {
                self.write(bytes)?;
                self.passing = *more;
                Ok(())
            }
        }
    }

    /// Appends more of a record that is too long to be held.
    ///
    /// # Errors
    /// It is not in the file (74).
    pub fn rest(&mut self, bytes: &[u8], more: bool) -> Result<(), Failure> {
        self.append(bytes)?;
        self.passing = more;
        if more {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.append(&waiting)
    }

    /// Whether a record is being written whose end has not come; what was rejected meanwhile is not
    /// in the file yet.
    pub fn is_passing(&self) -> bool {
        self.passing
    }

    /// Nothing more comes: a record without its end gets one.
    ///
    /// # Errors
    /// It is not in the file (74).
    pub fn end(&mut self) -> Result<(), Failure> {
        if !self.passing {
            return Ok(());
        }
        let mut end = Vec::new();
        if let Format::Lines | Format::Nul | Format::Json = self.format {
            self.format.frame(&[], &mut end);
        }
        self.rest(&end, false)
    }

    /// Makes sure that what was appended is on the disk.
    ///
    /// # Errors
    /// It may not be (74).
    pub fn sync(&mut self) -> Result<(), Failure> {
        if !std::mem::replace(&mut self.synced, true) {
            let synced = match self.file.sync_data() {
                // A FIFO or a terminal has no disk.
                Err(error) if error.raw_os_error() == Some(EINVAL) => Ok(()),
                synced => synced,
            };
            synced.map_err(|error| Failure::io(format!("write {} to disk", self.name), &error))?;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.passing {
            self.waiting.extend_from_slice(bytes);
            return Ok(());
        }
        self.append(bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.synced = false;
        let name = &self.name;
        self.file.write_all(bytes).map_err(|error| Failure::io(format!("write {name}"), &error))
    }
}

const EINVAL: i32 = rustix::io::Errno::INVAL.raw_os_error();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rejected_while_a_long_record_passes_stands_behind_it() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("rejects").to_str().unwrap().to_owned();
        let mut rejects = Rejects::open(&name, Format::Lines).unwrap();
        rejects.record(b"first").unwrap();
        rejects.bad(&Raw::Begun { bytes: b"long"[..].into(), more: true }).unwrap();
        rejects.record(b"second").unwrap();
        rejects.rest(b" and longer", true).unwrap();
        rejects.rest(b" still\n", false).unwrap();
        rejects.record(b"third").unwrap();
        rejects.sync().unwrap();
        let text = std::fs::read_to_string(&name).unwrap();
        assert_eq!(text, "first\nlong and longer still\nsecond\nthird\n");
    }

    #[test]
    fn a_long_record_without_its_end_gets_one_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("rejects").to_str().unwrap().to_owned();
        let mut rejects = Rejects::open(&name, Format::Lines).unwrap();
        rejects.bad(&Raw::Begun { bytes: b"long"[..].into(), more: true }).unwrap();
        rejects.record(b"second").unwrap();
        rejects.end().unwrap();
        assert_eq!(std::fs::read_to_string(&name).unwrap(), "long\nsecond\n");
    }
}
