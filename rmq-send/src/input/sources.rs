//! What is read: standard input, files one after another, or a text on the command line.

use rmq_common::exit::Exit;
use rmq_common::failure::{Cause, Failure};
use rmq_common::files;
use rmq_common::standard_streams;
use rmq_common::thread;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, Stat};
use std::fs::File;
use std::io::{self, PipeWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Where records come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Standard input, as the only source.
    Input,
    /// Standard input, as `-` among files.
    Dash,
    /// A file of this name.
    File(String),
    Text(Vec<u8>),
}

impl Source {
    /// The sources that the operands name.
    ///
    /// # Errors
    /// A file does not exist or is a directory (74). This is found before anything is read, so that
    /// a wrong name is noticed before anything is sent.
    pub fn of(files: &[String]) -> Result<Vec<Source>, Failure> {
        if files.is_empty() {
            return Ok(vec![Source::Input]);
        }
        files.iter().map(|name| Source::named(name)).collect()
    }

    fn named(name: &str) -> Result<Source, Failure> {
        if name == "-" {
            return Ok(Source::Dash);
        }
        if name.is_empty() {
            return Err(Failure::usage("the name of a FILE to read is empty"));
        }
        let problem = |error: &io::Error| Failure::io(format!("read {name}"), error);
        standard_streams::named(name)?;
        let metadata = std::fs::metadata(name).map_err(|error| match error.kind() {
            // It may be a message text, given by mistake; such a text rarely contains a slash.
            io::ErrorKind::NotFound if !name.contains('/') => {
                let cause = Cause(&error);
                let text = format!("read {name}: {cause} (to send it as a message: -b '{name}')");
                Failure::new(Exit::IoErr, text)
            }
            _ => problem(&error),
        })?;
        if metadata.is_dir() {
            return Err(problem(&io::Error::from(rustix::io::Errno::ISDIR)));
        }
        Ok(Source::File(name.to_owned()))
    }

    /// Its name in diagnostics about records; standard input alone needs no name.
    pub fn name(&self) -> Option<&str> {
        match self {
            Source::Input | Source::Text(_) => None,
            Source::Dash => Some("standard input"),
            Source::File(name) => Some(name),
        }
    }

    /// The path of a named file.
    pub fn path(&self) -> Option<&str> {
        match self {
            Source::File(name) => Some(name),
            Source::Input | Source::Dash | Source::Text(_) => None,
        }
    }

    /// Its name in errors of reading it.
    pub fn noun(&self) -> &str {
        self.name().unwrap_or("standard input")
    }

    /// Opens it. A FIFO is opened without waiting for its writer, so that a signal can end the
    /// wait; the reader waits before each read.
    pub fn open(&self) -> io::Result<OwnedFd> {
        match self {
            Source::Input | Source::Dash => io::stdin().as_fd().try_clone_to_owned(),
            Source::File(name) => open(Path::new(name)).map(OwnedFd::from),
            Source::Text(text) => {
                let (reader, writer) = io::pipe()?;
                write(writer, text.clone())?;
                Ok(reader.into())
            }
        }
    }

    /// Whether it comes to an end by itself.
    pub fn is_finite(&self) -> bool {
        let is_file = |status: rustix::io::Result<Stat>| {
            status.is_ok_and(|status| match FileType::from_raw_mode(status.st_mode) {
                FileType::RegularFile => true,
                FileType::CharacterDevice => is_null(&status),
                _ => false,
            })
        };
        match self {
            Source::Text(_) => true,
            Source::Input | Source::Dash => is_file(rustix::fs::fstat(io::stdin())),
            Source::File(name) => is_file(rustix::fs::stat(name.as_str())),
        }
    }

    /// If it is a pipe without writers: whether it is empty.
    pub fn hung_up(&self) -> Option<bool> {
        let (Source::Input | Source::Dash) = self else { return None };
        let stdin = io::stdin();
        let mut input = [PollFd::new(&stdin, PollFlags::IN)];
        // If the state is unknown now, a later call finds it.
        poll(&mut input, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).ok()?;
        let state = input[0].revents();
        state.contains(PollFlags::HUP).then(|| !state.contains(PollFlags::IN))
    }

    /// Whether it and `file` are the same, so that writing to one would feed the other.
    pub fn is_same_file(&self, file: &File) -> bool {
        let read = match self {
            Source::Input | Source::Dash => rustix::fs::fstat(io::stdin()),
            Source::File(name) => rustix::fs::stat(name.as_str()),
            Source::Text(_) => return false,
        };
        match (read, rustix::fs::fstat(file)) {
            // A device such as /dev/null never returns what is written to it.
            (Ok(one), Ok(other)) => {
                let kind = FileType::from_raw_mode(one.st_mode);
                matches!(kind, FileType::RegularFile | FileType::Fifo)
                    && files::is_same(&one, &other)
            }
            _ => false,
        }
    }
}

/// Opens a file to read, without waiting for the writer of a FIFO.
///
/// # Errors
/// As the operating system says.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

fn is_null(status: &Stat) -> bool {
    rustix::fs::stat("/dev/null").is_ok_and(|null| null.st_rdev == status.st_rdev)
}

/// Writes a text into a pipe from a separate thread, because it may be larger than the pipe.
fn write(mut writer: PipeWriter, text: Vec<u8>) -> io::Result<()> {
    thread::start("body", move || {
        // Its reader is this process; if it has stopped reading, it reports why.
        let _ = writer.write_all(&text);
    })?;
    Ok(())
}
