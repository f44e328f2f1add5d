//! `--rejects`: what could not be sent, in the input's own framing, so that it can be run again.

use crate::framing::Format;
use crate::record::Raw;
use rmq_common::failure::Failure;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;

/// The file of rejects.
#[derive(Debug)]
pub struct Rejects {
    name: String,
    file: File,
    format: Format,
    /// Where whole records end in a file that can be cut there; what comes behind is not whole.
    end: Option<u64>,
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
    /// It cannot be written (74); or it holds the one record that it could, of whole framing (64).
    pub fn open(name: &str, format: Format) -> Result<Self, Failure> {
        let problem = |error| Failure::io(format!("write {name}"), &error);
        let opened = OpenOptions::new().read(true).append(true).create(true).open(name);
        // A FIFO, or a file that may only be written.
        let opened = opened.or_else(|_| OpenOptions::new().append(true).create(true).open(name));
        let file = opened.map_err(problem)?;
        let metadata = file.metadata().map_err(problem)?;
        let end = metadata.is_file().then_some(metadata.len());
        if format == Format::Whole && end.is_some_and(|end| end > 0) {
            let text =
                format!("--rejects {name}: it is not empty, and --format whole is one record");
            return Err(Failure::usage(text));
        }
        let mut rejects = Rejects {
            name: name.to_owned(),
            file,
            format,
            end,
            passing: false,
            waiting: Vec::new(),
            synced: true,
        };
        rejects.end_what_is_there().map_err(problem)?;
        Ok(rejects)
    }

    /// A last record without its end, of a run that was killed or of another program, gets one.
    fn end_what_is_there(&mut self) -> std::io::Result<()> {
        let mut end = Vec::new();
        match (self.format, self.end) {
            (Format::Lines | Format::Nul | Format::Json, Some(length @ 1..)) => {
                self.format.frame(&[], &mut end);
                let mut last = [0];
                if self.file.read_exact_at(&mut last, length - 1).is_ok() && last[..] != end[..] {
                    self.file.write_all(&end)?;
                    self.end = Some(length + 1);
                }
                Ok(())
            }
            _ => Ok(()),
        }
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
                self.append(bytes)?;
                self.passing = *more;
                if !more {
                    self.whole();
                }
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
        self.whole();
        let waiting = std::mem::take(&mut self.waiting);
        self.append(&waiting)?;
        self.whole();
        Ok(())
    }

    /// Whether a record is being written whose end has not come; what was rejected meanwhile is not
    /// in the file yet.
    pub fn is_passing(&self) -> bool {
        self.passing
    }

    /// Nothing more comes: a record whose end has not come is taken back, and what waited behind it
    /// is written. True where there was such a record.
    ///
    /// # Errors
    /// What waited is not in the file (74).
    pub fn end(&mut self) -> Result<bool, Failure> {
        if !std::mem::take(&mut self.passing) {
            return Ok(false);
        }
        self.take_back();
        let waiting = std::mem::take(&mut self.waiting);
        self.append(&waiting)?;
        self.whole();
        Ok(true)
    }

    /// What is behind the last whole record goes.
    fn take_back(&mut self) {
        if let Some(end) = self.end {
            // Where that fails the file is beyond help.
            let _ = self.file.set_len(end);
        }
    }

    /// All that is in the file is whole.
    fn whole(&mut self) {
        if let (Some(end), Ok(metadata)) = (&mut self.end, self.file.metadata()) {
            *end = metadata.len();
        }
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
        self.append(bytes)?;
        if let Some(end) = &mut self.end {
            *end += bytes.len() as u64;
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.synced = false;
        let written = self.file.write_all(bytes);
        if written.is_err() {
            self.take_back();
        }
        let name = &self.name;
        written.map_err(|error| Failure::io(format!("write {name}"), &error))
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
    fn a_long_record_whose_end_never_came_is_taken_back() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("rejects").to_str().unwrap().to_owned();
        let mut rejects = Rejects::open(&name, Format::Lines).unwrap();
        rejects.bad(&Raw::Begun { bytes: b"long"[..].into(), more: true }).unwrap();
        rejects.record(b"second").unwrap();
        rejects.rest(b" and longer", true).unwrap();
        assert!(rejects.end().unwrap());
        assert_eq!(std::fs::read_to_string(&name).unwrap(), "second\n");
    }

    #[test]
    fn what_an_earlier_run_left_unfinished_gets_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("rejects").to_str().unwrap().to_owned();
        std::fs::write(&name, "torn").unwrap();
        Rejects::open(&name, Format::Lines).unwrap().record(b"next").unwrap();
        assert_eq!(std::fs::read_to_string(&name).unwrap(), "torn\nnext\n");
        let refused = Rejects::open(&name, Format::Whole).unwrap_err();
        assert!(refused.to_string().contains("it is not empty"), "{refused}");
    }
}
