//! A file that records are appended to, and that keeps only whole ones.

use crate::spool::disk::{self, Directory};
use rmq_common::files;
use rustix::fs::{FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

#[derive(Debug)]
pub struct RecordFile {
    file: File,
    /// Whether it can be truncated, unlike a FIFO, and unlike a file that a shell also writes to.
    is_regular: bool,
    /// What ends a record.
    ending: Vec<u8>,
    /// A record that is not complete yet.
    partial: Option<Partial>,
    /// Whether all that was written is known to be on disk.
    synced: bool,
}

#[derive(Debug)]
struct Partial {
    /// Where it begins, if nothing else was written in between.
    start: u64,
    /// Bytes of it that are in the file.
    bytes: u64,
}

/// Why the file cannot be used.
#[derive(Debug)]
pub enum Unusable {
    /// Another process has it.
    InUse,
    /// As the operating system says.
    Error(io::Error),
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        Unusable::Error(error)
    }
}

impl RecordFile {
    /// Opens the file `name`, which is created if missing, for this process alone. If its last
    /// record lacks `ending`, after a kill or from another program, it is added.
    ///
    /// # Errors
    /// It is in use, or as the operating system says.
    pub fn open(name: &Path, ending: &[u8]) -> Result<Self, Unusable> {
        let opened = files::open(
            name,
            OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE,
            Mode::from_raw_mode(0o666),
        );
        let file = opened.map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::NXIO) => io::Error::other("nothing reads it"),
            _ => error,
        })?;
        files::wait(&file)?;
        let status = rustix::fs::fstat(&file).map_err(io::Error::from)?;
        let is_regular = FileType::from_raw_mode(status.st_mode) == FileType::RegularFile
            && !files::is_descriptor(name);
        if is_regular {
            let locked = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
            // On a file system without locks, appending is still safe.
            if locked == Err(Errno::WOULDBLOCK) {
                return Err(Unusable::InUse);
            }
            if rustix::fs::fstat(&file).map_err(io::Error::from)?.st_size == 0 {
                match disk::sync_parent(name) {
                    // Without access to the directory, the file's name cannot be synced.
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                    synced => synced?,
                }
            }
        }
        // A file that is only writable cannot be checked.
        let reader = || files::open(name, OFlags::RDONLY, Mode::empty()).ok();
        let reader = is_regular.then(reader).flatten().filter(|reader| {
            rustix::fs::fstat(reader).is_ok_and(|reader| files::is_same(&reader, &status))
        });
        let mut opened = Self::begin(file.into(), reader.map(File::from), ending)?;
        opened.is_regular = is_regular;
        Ok(opened)
    }

    /// The same for the file `name` of a spool, which this process already owns.
    ///
    /// # Errors
    /// As the operating system says, or it is not a file of ours.
    pub fn in_spool(directory: &Directory, name: &str, ending: &[u8]) -> io::Result<Self> {
        let file = directory.append(name)?;
        if file.metadata()?.len() == 0 {
            directory.sync()?;
        }
        let reader = file.try_clone()?;
        Self::begin(file, Some(reader), ending)
    }

    fn begin(file: File, reader: Option<File>, ending: &[u8]) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let (is_regular, ending) = (metadata.is_file(), ending.to_vec());
        let mut opened = RecordFile { file, is_regular, ending, partial: None, synced: true };
        if let (Some(reader), length @ 1.., [ending]) = (reader, metadata.len(), &*opened.ending) {
            let (mut last, ending) = ([0], *ending);
            if reader.read_exact_at(&mut last, length - 1).is_ok() && last != [ending] {
                opened.append(&[ending])?;
                opened.whole();
            }
        }
        Ok(opened)
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Whether what is written stays in it.
    pub fn keeps(&self) -> bool {
        self.is_regular
    }

    /// Whether it has content, as far as is known.
    pub fn has_records(&self) -> bool {
        self.is_regular && self.length().is_ok_and(|length| length > 0)
    }

    /// Appends to the incomplete record.
    ///
    /// # Errors
    /// The bytes are not in the file, and neither is any other part of the incomplete record.
    pub fn append(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.synced = false;
        let mut partial = match self.partial.take() {
            Some(partial) => partial,
            None => Partial { start: self.length()?, bytes: 0 },
        };
        // A single write, unless the disk is full, so that nothing of others comes in between.
        let written = loop {
            match self.file.write(bytes) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    partial.bytes += written as u64;
                    bytes = &bytes[written..];
                    if bytes.is_empty() {
                        break Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.partial = Some(partial);
        if written.is_err() {
            self.take_back();
        }
        written
    }

    /// Removes the incomplete record. If something else was written after it, it stays and gets its
    /// ending: content from other writers is never cut off.
    pub fn take_back(&mut self) {
        let Some(Partial { start, bytes }) = self.partial.take().filter(|_| self.is_regular) else {
            return;
        };
        // If either fails, nothing more can be done.
        let _ = match self.length() {
            Ok(length) if length == start + bytes => self.file.set_len(start),
            _ => self.file.write_all(&self.ending),
        };
    }

    /// Everything in the file is complete.
    pub fn whole(&mut self) {
        self.partial = None;
    }

    /// Makes sure that what was appended is on disk.
    ///
    /// # Errors
    /// It may not be on disk; trying again would prove nothing.
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

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}

const EINVAL: i32 = Errno::INVAL.raw_os_error();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_append_meanwhile_is_never_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rejects");
        let mut file = RecordFile::open(&path, b"\n").unwrap();
        file.append(b"half of a rec").unwrap();
        let mut other = File::options().append(true).open(&path).unwrap();
        other.write_all(b"of another program\n").unwrap();
        file.take_back();
        file.append(b"next\n").unwrap();
        file.whole();
        let text = "half of a recof another program\n\nnext\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        // If it is the last, it is removed.
        file.append(b"half").unwrap();
        file.take_back();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_file_is_for_one_at_a_time_and_a_fifo_needs_a_reader() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rejects");
        let first = RecordFile::open(&path, b"\n").unwrap();
        assert!(matches!(RecordFile::open(&path, b"\n"), Err(Unusable::InUse)));
        drop(first);
        RecordFile::open(&path, b"\n").unwrap();
        let fifo = directory.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
        let Err(Unusable::Error(error)) = RecordFile::open(&fifo, b"\n") else {
            panic!("a FIFO that nothing reads")
        };
        assert_eq!(error.to_string(), "nothing reads it");
        let read = OFlags::RDONLY | OFlags::NONBLOCK;
        let _reader = rustix::fs::open(&fifo, read, Mode::empty()).unwrap();
        let file = RecordFile::open(&fifo, b"\n").unwrap();
        assert!(!file.keeps());
    }
}
