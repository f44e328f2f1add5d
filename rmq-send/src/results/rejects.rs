//! What could not be sent, so that it can be run again: `--rejects`, in the framing of the input,
//! and the spool's `DIR/rejected`, in envelopes.

use crate::input::framing::Format;
use crate::record::item::Raw;
use crate::results::record_file::{RecordFile, Unusable};
use crate::spool::disk::Directory;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// How much of a record in another file is copied at a time.
const BLOCK: usize = 256 << 10;

/// Its name in a spool.
const IN_SPOOL: &str = "rejected";

/// The file of rejects.
#[derive(Debug)]
pub struct Rejects {
    name: String,
    format: Format,
    /// Where it is, for a spool.
    spool: Option<InSpool>,
    /// Opened when it is needed.
    file: Option<RecordFile>,
    /// The record that is being written in parts, because it is too long to be held.
    passing: Option<u64>,
}

/// The file of a spool, to which two threads append.
#[derive(Clone, Debug)]
struct InSpool {
    directory: Arc<Directory>,
    turn: Arc<Mutex<()>>,
}

impl Rejects {
    /// Records of `format` are appended to the file `name`, which is created with the first one.
    pub fn new(name: &str, format: Format) -> Self {
        let name = name.to_owned();
        Rejects { name, format, spool: None, file: None, passing: None }
    }

    /// The file of a spool, for envelopes: one handle for each of two threads.
    pub fn in_spool(directory: &Arc<Directory>) -> [Self; 2] {
        let name = directory.at(IN_SPOOL).display().to_string();
        let spool = InSpool { directory: Arc::clone(directory), turn: Arc::default() };
        [(); 2].map(|()| {
            let rejects = Self::new(&name, Format::Json);
            Rejects { spool: Some(spool.clone()), ..rejects }
        })
    }

    /// Opens the file now.
    ///
    /// # Errors
    /// It cannot be written (74), another run writes to it (75), or it already holds the single
    /// record that whole framing allows (64).
    pub fn open(&mut self) -> Result<&File, Failure> {
        let (name, format) = (self.name.clone(), self.format);
        let file = self.opened()?;
        if format == Format::Whole && file.has_records() {
            let text = format!("--rejects {name}: not empty, and --format whole is one record");
            return Err(Failure::usage(text));
        }
        Ok(file.file())
    }

    /// The file, if it is open.
    pub fn file(&self) -> Option<&File> {
        self.file.as_ref().map(RecordFile::file)
    }

    /// Where its records are: `kept in bad`, or `written to /dev/stderr`.
    pub fn whereabouts(&self) -> String {
        let keeps = self.file.as_ref().is_none_or(RecordFile::keeps);
        format!("{} {}", if keeps { "kept in" } else { "written to" }, self.name)
    }

    /// Appends a record.
    pub fn record(&mut self, raw: &[u8]) -> Result<(), Failure> {
        let mut framed = Vec::with_capacity(raw.len() + 4);
        self.format.frame(raw, &mut framed);
        let turn = self.spool.as_ref().map(|spool| Arc::clone(&spool.turn));
        let _turn = turn.as_ref().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        self.append(&framed, true)
    }

    /// Appends a framed record that is in another file.
    ///
    /// # Errors
    /// It is not in the file, or cannot be read (74).
    pub fn copy(&mut self, from: &mut File) -> Result<(), Failure> {
        let turn = self.spool.as_ref().map(|spool| Arc::clone(&spool.turn));
        let _turn = turn.as_ref().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        let mut block = vec![0; BLOCK];
        loop {
            match from.read(&mut block) {
                Ok(0) => return self.append(&[], true),
                Ok(length) => self.append(&block[..length], false)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if let Some(file) = &mut self.file {
                        file.take_back();
                    }
                    return Err(Failure::io("read what is to be rejected", &error));
                }
            }
        }
    }

    /// Appends what has been read of the record `number`, which cannot be sent.
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
    pub fn rest(&mut self, bytes: &[u8], more: bool) -> Result<(), Failure> {
        self.append(bytes, !more)?;
        if !more {
            self.passing = None;
        }
        Ok(())
    }

    /// The input has ended: takes back an incomplete record. Returns its number, if there was one.
    pub fn end(&mut self) -> Option<u64> {
        let torn = self.passing.take();
        if let (Some(_), Some(file)) = (torn, &mut self.file) {
            file.take_back();
        }
        torn
    }

    /// Makes sure that what was appended is on disk.
    pub fn sync(&mut self) -> Result<(), Failure> {
        let synced = self.file.as_mut().map_or(Ok(()), RecordFile::sync);
        synced.map_err(|error| Failure::io(format!("write {} to disk", self.name), &error))
    }

    fn append(&mut self, bytes: &[u8], whole: bool) -> Result<(), Failure> {
        let name = self.name.clone();
        let file = self.opened()?;
        file.append(bytes).map_err(|error| problem(&name, &error))?;
        if whole {
            file.whole();
        }
        Ok(())
    }

    fn opened(&mut self) -> Result<&mut RecordFile, Failure> {
        let Rejects { name, format, spool, file, .. } = self;
        match file {
            Some(file) => Ok(file),
            none => {
                let mut ending = Vec::new();
                if let Format::Lines | Format::Nul | Format::Json = format {
                    format.frame(&[], &mut ending);
                }
                let opened = match spool {
                    Some(InSpool { directory, .. }) => {
                        RecordFile::in_spool(directory, IN_SPOOL, &ending).map_err(Unusable::Error)
                    }
                    None => RecordFile::open(Path::new(name), &ending),
                };
                let opened = opened.map_err(|why| match why {
                    Unusable::Error(error) => problem(name, &error),
                    Unusable::InUse => {
                        let text = "in use by another rmq-send (each run needs a file of its own)";
                        Failure::new(Exit::TempFail, format!("--rejects {name}: {text}"))
                    }
                })?;
                Ok(none.insert(opened))
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
    fn a_long_record_whose_end_never_came_is_taken_back() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("rejects").to_str().unwrap().to_owned();
        let mut rejects = open(&name, Format::Lines).unwrap();
        rejects.record(b"first").unwrap();
        rejects.bad(7, &Raw::Begun { bytes: b"long"[..].into(), more: true }).unwrap();
        rejects.rest(b" and longer", true).unwrap();
        assert_eq!(rejects.end(), Some(7));
        assert_eq!(std::fs::read_to_string(&name).unwrap(), "first\n");
        rejects.bad(8, &Raw::Begun { bytes: b"long"[..].into(), more: true }).unwrap();
        rejects.rest(b" and whole\n", false).unwrap();
        assert_eq!(rejects.end(), None);
        assert_eq!(std::fs::read_to_string(&name).unwrap(), "first\nlong and whole\n");
    }

    #[test]
    fn what_an_earlier_run_left_unfinished_gets_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("rejects").to_str().unwrap().to_owned();
        std::fs::write(&name, "torn").unwrap();
        open(&name, Format::Lines).unwrap().record(b"next").unwrap();
        assert_eq!(std::fs::read_to_string(&name).unwrap(), "torn\nnext\n");
        let refused = open(&name, Format::Whole).unwrap_err();
        assert!(refused.to_string().contains("not empty"), "{refused}");
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
        drop(rejected);
        std::fs::write(&name, b"one\ntw").unwrap();
        for line in [b"three", b"fours"] {
            Rejects::new(&name, Format::Json).record(line).unwrap();
        }
        assert_eq!(std::fs::read(&name).unwrap(), b"one\ntw\nthree\nfours\n");
    }
}
