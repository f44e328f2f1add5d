//! `--stats FILE`: the counts of a run for programs, at its end and, if asked for, every so often.

use crate::cli::diagnostics::Diagnostics;
use crate::cli::exit::Exit;
use crate::cli::failure::{Cause, Failure};
use crate::cli::standard_streams;
use crate::files;
use crate::files::replace;
use crate::standing::figures::{Figure, Standing, json, prometheus};
use crate::standing::live::Live;
use crate::thread;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long the reader of a FIFO may take to make room for the counts.
const ROOM_WITHIN: Duration = Duration::from_secs(1);

/// The file that the counts are written to.
#[derive(Debug)]
pub struct StatsFile {
    program: &'static str,
    name: String,
    file: File,
    /// What is in it is not ours alone, as where a shell has opened it.
    is_shared: bool,
}

impl StatsFile {
    /// Opens the file `name`, before anything else is done; what is in it stays for now.
    ///
    /// # Errors
    /// It cannot be opened or made (74).
    pub fn open(program: &'static str, name: &str) -> Result<Self, Failure> {
        let name = standard_streams::to_write(name);
        let path = Path::new(name);
        let is_shared = files::is_descriptor(path);
        let behind = if is_shared { OFlags::APPEND } else { OFlags::empty() };
        let flags = OFlags::WRONLY | OFlags::CREATE | behind;
        // What is opened here never waits: a reader that stops must not hold the run.
        let opened = files::open(path, flags, Mode::from_raw_mode(0o666));
        let file = opened.map(File::from).map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::NXIO) => io::Error::other("nothing reads it"),
            _ => error,
        });
        let name = name.to_owned();
        match file {
            Ok(file) => Ok(StatsFile { program, name, file, is_shared }),
            Err(error) => Err(Failure::io(format!("write {name}"), &error)),
        }
    }

    /// Its name on the command line.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Writes the counts in place of what is there; a file is replaced as a whole.
    fn write(&mut self, figures: &[Figure]) -> io::Result<()> {
        let text = self.text(figures);
        if !self.is_shared {
            if let Some(new) = replace(Path::new(&self.name), &self.file, text.as_bytes())? {
                self.file = new;
                return Ok(());
            }
            if self.file.metadata().is_ok_and(|metadata| metadata.is_file()) {
                io::Seek::rewind(&mut self.file)?;
                self.file.set_len(0)?;
            }
        }
        write_in_time(&mut self.file, text.as_bytes())
    }

    /// The form is by the file's name.
    fn text(&self, figures: &[Figure]) -> String {
        match self.name.strip_suffix(".prom") {
            Some(stem) => {
                let run = Path::new(stem).file_name().unwrap_or_default();
                prometheus(figures, self.program, &run.to_string_lossy())
            }
            None => json(figures),
        }
    }

    /// Begins to write the counts every so often, or none before the end.
    ///
    /// # Errors
    /// No thread can be started (74).
    pub fn start<T: Standing>(
        mut self,
        every: Option<Duration>,
        live: &Live<T>,
        diagnostics: Diagnostics,
    ) -> Result<Stats, Failure> {
        let (stop, stopped) = flume::bounded::<()>(0);
        let last = live.clone();
        let last = Box::new(move || last.now().figures());
        let Some(every) = every else {
            return Ok(Stats { writer: Some(Writer::AtTheEnd(self)), last, diagnostics });
        };
        let live = live.clone();
        let write = move || {
            let mut has_failed = false;
            loop {
                let written = self.write(&live.now().figures());
                if let Err(error) = &written
                    && !has_failed
                {
                    diagnostics.notice(&format!("write {}: {}", self.name, Cause(error)));
                }
                has_failed = written.is_err();
                if !matches!(stopped.recv_timeout(every), Err(flume::RecvTimeoutError::Timeout)) {
                    return self;
                }
            }
        };
        let thread = thread::start("stats", write)
            .map_err(|error| Failure::io("start the thread of --stats-every", &error))?;
        Ok(Stats { writer: Some(Writer::Often { stop, thread }), last, diagnostics })
    }
}

/// Writes all of it, unless the reader of a FIFO makes no room.
fn write_in_time(file: &mut File, mut text: &[u8]) -> io::Result<()> {
    let until = Instant::now() + ROOM_WITHIN;
    while !text.is_empty() {
        match file.write(text) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => text = &text[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let left = until.saturating_duration_since(Instant::now());
                let room = &mut [PollFd::new(file, PollFlags::OUT)];
                let left = Timespec::try_from(left).map_err(io::Error::other)?;
                if poll(room, Some(&left))? == 0 {
                    return Err(io::Error::other("its reader does not read"));
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What writes the counts. If a run ends without [`finish`](Self::finish), as where no broker is
/// reached, they are written as they stand then.
pub struct Stats {
    /// `None` once the last counts are written.
    writer: Option<Writer>,
    last: Box<dyn Fn() -> Vec<Figure>>,
    diagnostics: Diagnostics,
}

#[derive(Debug)]
enum Writer {
    AtTheEnd(StatsFile),
    Often { stop: flume::Sender<()>, thread: JoinHandle<StatsFile> },
}

impl Writer {
    fn finish(self, figures: &[Figure]) -> Result<(), Failure> {
        let mut file = match self {
            Writer::AtTheEnd(file) => file,
            Writer::Often { stop, thread } => {
                drop(stop);
                let ended = thread.join();
                ended.map_err(|_| {
                    Failure::new(Exit::Software, "the thread that writes --stats failed")
                })?
            }
        };
        let written = file.write(figures);
        written.map_err(|error| Failure::io(format!("write {}", file.name), &error))
    }
}

impl Stats {
    /// Writes the counts with which the run ends.
    ///
    /// # Errors
    /// They cannot be written (74).
    pub fn finish(mut self, standing: &impl Standing) -> Result<(), Failure> {
        self.writer.take().map_or(Ok(()), |writer| writer.finish(&standing.figures()))
    }
}

impl Drop for Stats {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take()
            && let Err(failure) = writer.finish(&(self.last)())
        {
            // Another failure ends the run.
            self.diagnostics.notice(&failure.to_string());
        }
    }
}

impl fmt::Debug for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stats").field("writer", &self.writer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct One(u64);

    impl fmt::Display for One {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "read {}", self.0)
        }
    }

    impl Standing for One {
        fn figures(&self) -> Vec<Figure> {
            vec![Figure::counter("read", self.0, "Records read.")]
        }
    }

    #[test]
    fn counts_are_replaced_every_so_often_and_at_the_end_in_the_form_of_the_name() {
        let directory = tempfile::tempdir().unwrap();
        let quiet = Diagnostics::new("rmq-send", true, false);
        for (name, form) in [("stats.json", "{\"read\":N}\n"), ("jobs.prom", "{run=\"jobs\"} N\n")]
        {
            let path = directory.path().join(name);
            let live = Live::new(One(1));
            let file = StatsFile::open("rmq-send", path.to_str().unwrap()).unwrap();
            let stats = file.start(Some(Duration::from_millis(1)), &live, quiet).unwrap();
            let wait_for = |number: u64| {
                let wanted = form.replace('N', &number.to_string());
                while !std::fs::read_to_string(&path).unwrap().ends_with(&wanted) {
                    std::thread::yield_now();
                }
            };
            wait_for(1);
            live.set(One(2));
            wait_for(2);
            stats.finish(&One(3)).unwrap();
            wait_for(3);
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_run_that_fails_early_leaves_its_counts_too() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stats.json");
        let quiet = Diagnostics::new("rmq-send", true, false);
        for every in [None, Some(Duration::from_secs(3600))] {
            std::fs::write(&path, "").unwrap();
            let live = Live::new(One(1));
            let file = StatsFile::open("rmq-send", path.to_str().unwrap()).unwrap();
            let stats = file.start(every, &live, quiet).unwrap();
            live.set(One(2));
            drop(stats);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"read\":2}\n");
        }
    }

    #[test]
    fn the_reader_of_a_fifo_that_does_not_read_holds_no_run() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        let (kind, here) = (rustix::fs::FileType::Fifo, rustix::fs::CWD);
        rustix::fs::mknodat(here, &fifo, kind, Mode::RWXU, 0).unwrap();
        let read = OFlags::RDONLY | OFlags::NONBLOCK;
        let _reader = rustix::fs::open(&fifo, read, Mode::empty()).unwrap();
        let mut file = StatsFile::open("rmq-send", fifo.to_str().unwrap()).unwrap();
        while file.file.write(&[b'x'; 4096]).is_ok() {}
        let quiet = Diagnostics::new("rmq-send", true, false);
        let stats = file.start(Some(Duration::from_millis(1)), &Live::new(One(1)), quiet).unwrap();
        let failure = stats.finish(&One(1)).unwrap_err().to_string();
        assert!(failure.ends_with("fifo: its reader does not read"), "{failure}");
    }
}
