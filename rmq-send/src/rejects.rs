//! What could not be sent, so that it can be run again: `--rejects`, in the input's own framing, and
//! the spool's `DIR/rejected`, in envelopes.

use crate::framing::Format;
use crate::record::Raw;
use crate::record_file::RecordFile;
use rmq_common::failure::Failure;
use std::fs::File;
use std::io;
use std::path::Path;

/// The file of rejects.
#[derive(Debug)]
pub struct Rejects {
    name: String,
    format: Format,
    /// Opened when it is needed.
    file: Option<RecordFile>,
    /// The record that is being written without being held, because it is too long; what is
    /// rejected meanwhile waits.
    passing: Option<u64>,
    waiting: Vec<u8>,
}

impl Rejects {
    /// The file `name`, made when the first record comes, to append records of `format` to.
    pub fn new(name: &str, format: Format) -> Self {
        let name = name.to_owned();
        Rejects { name, format, file: None, passing: None, waiting: Vec::new() }
    }

    /// Opens the file now.
    ///
    /// # Errors
    /// It cannot be written (74); or it holds the one record that it could, of whole framing (64).
    pub fn open(&mut self) -> Result<&File, Failure> {
        let (name, format) = (self.name.clone(), self.format);
        let file = self.opened().map_err(|error| problem(&name, &error))?;
        if format == Format::Whole && file.has_records() {
            let text =
                format!("--rejects {name}: it is not empty, and --format whole is one record");
            return Err(Failure::usage(text));
        }
        Ok(file.file())
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
        if self.is_passing() {
            self.waiting.extend_from_slice(&framed);
            return Ok(());
        }
        self.append(&framed, true)
    }

    /// Appends what there is of the record `number`, which cannot be sent.
    ///
    /// # Errors
    /// It is not in the file (74).
    pub fn bad(&mut self, number: u64, raw: &Raw) -> Result<(), Failure> {
        match raw {
            Raw::Whole(raw) => self.record(raw),
            Raw::Begun { bytes, more } => {
                self.append(bytes, !more)?;
                self.passing = more.then_some(number);
                Ok(())
            }
        }
    }

    /// Appends more of a record that is too long to be held.
    ///
    /// # Errors
    /// It is not in the file (74).
    pub fn rest(&mut self, bytes: &[u8], more: bool) -> Result<(), Failure> {
        self.append(bytes, !more)?;
        if more {
            return Ok(());
        }
        self.passing = None;
        self.write_waiting()
    }

    /// Whether a record is being written whose end has not come; what was rejected meanwhile is not
    /// in the file yet.
    pub fn is_passing(&self) -> bool {
        self.passing.is_some()
    }

    /// Nothing more comes: a record whose end has not come is taken back, and what waited behind it
    /// is written. The number of that record, where there was one.
    ///
    /// # Errors
    /// What waited is not in the file (74).
    pub fn end(&mut self) -> Result<Option<u64>, Failure> {
        let torn = self.passing.take();
        if torn.is_some() {
            if let Some(file) = &mut self.file {
                file.take_back();
            }
            self.write_waiting()?;
        }
        Ok(torn)
    }

    /// Makes sure that what was appended is on the disk.
    ///
    /// # Errors
    /// It may not be (74).
    pub fn sync(&mut self) -> Result<(), Failure> {
        let synced = self.file.as_mut().map_or(Ok(()), RecordFile::sync);
        synced.map_err(|error| Failure::io(format!("write {} to disk", self.name), &error))
    }

    fn write_waiting(&mut self) -> Result<(), Failure> {
        let waiting = std::mem::take(&mut self.waiting);
        self.append(&waiting, true)
    }

    fn append(&mut self, bytes: &[u8], whole: bool) -> Result<(), Failure> {
        let appended = self.opened().and_then(|file| {
            file.append(bytes)?;
            if whole {
                file.whole();
            }
            Ok(())
        });
        appended.map_err(|error| problem(&self.name, &error))
    }

    fn opened(&mut self) -> io::Result<&mut RecordFile> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => {
                let mut ending = Vec::new();
                if let Format::Lines | Format::Nul | Format::Json = self.format {
                    self.format.frame(&[], &mut ending);
                }
                Ok(none.insert(RecordFile::open(Path::new(&self.name), &ending)?))
            }
        }
    }
}

fn problem(name: &str, error: &io::Error) -> Failure {
    Failure::io(format!("write {name}"), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(name: &str, format: Format) -> Result<Rejects, Failure> {
        let mut rejects = Rejects::new(name, format);
        rejects.open()?;
        Ok(rejects)
    }

    #[test]
    fn what_is_rejected_while_a_long_record_passes_stands_behind_it() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("rejects").to_str().unwrap().to_owned();
        let mut rejects = open(&name, Format::Lines).unwrap();
        rejects.record(b"first").unwrap();
        rejects.bad(7, &Raw::Begun { bytes: b"long"[..].into(), more: true }).unwrap();
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
        let mut rejects = open(&name, Format::Lines).unwrap();
        rejects.bad(7, &Raw::Begun { bytes: b"long"[..].into(), more: true }).unwrap();
        rejects.record(b"second").unwrap();
        rejects.rest(b" and longer", true).unwrap();
        assert_eq!(rejects.end().unwrap(), Some(7));
        assert_eq!(std::fs::read_to_string(&name).unwrap(), "second\n");
    }

    #[test]
    fn what_an_earlier_run_left_unfinished_gets_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("rejects").to_str().unwrap().to_owned();
        std::fs::write(&name, "torn").unwrap();
        open(&name, Format::Lines).unwrap().record(b"next").unwrap();
        assert_eq!(std::fs::read_to_string(&name).unwrap(), "torn\nnext\n");
        let refused = open(&name, Format::Whole).unwrap_err();
        assert!(refused.to_string().contains("it is not empty"), "{refused}");
    }

    #[test]
    fn a_rejected_line_that_an_earlier_run_tore_is_ended_before_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("rejected").to_str().unwrap().to_owned();
        let mut rejected = Rejects::new(&name, Format::Json);
        assert!(!Path::new(&name).exists(), "made when it is needed");
        rejected.record(b"one").unwrap();
        rejected.record(b"two").unwrap();
        rejected.sync().unwrap();
        assert_eq!(std::fs::read(&name).unwrap(), b"one\ntwo\n");
        std::fs::write(&name, b"one\ntw").unwrap();
        for line in [b"three", b"fours"] {
            Rejects::new(&name, Format::Json).record(line).unwrap();
        }
        assert_eq!(std::fs::read(&name).unwrap(), b"one\ntw\nthree\nfours\n");
    }
}
