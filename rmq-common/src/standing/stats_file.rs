//! `--stats FILE`: the counts of a run for programs, at its end and, if asked for, every so often.

use crate::cli::diagnostics::Diagnostics;
use crate::cli::exit::Exit;
use crate::cli::failure::{Cause, Failure};
use crate::files;
use crate::files::replace;
use crate::standing::figures::{Figure, Standing, json, prometheus};
use crate::standing::live::Live;
use crate::thread;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

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
        let path = Path::new(name);
        let is_shared = files::is_descriptor(path);
        let behind = if is_shared { OFlags::APPEND } else { OFlags::empty() };
        let flags = OFlags::WRONLY | OFlags::CREATE | behind;
        let opened = files::open(path, flags, Mode::from_raw_mode(0o666));
        let file = opened.and_then(|file| {
            files::wait(&file)?;
            Ok(File::from(file))
        });
        let file = file.map_err(|error| match Errno::from_io_error(&error) {
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
        self.file.write_all(text.as_bytes())
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
        let Some(every) = every else { return Ok(Stats(Writer::AtTheEnd(self))) };
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
        Ok(Stats(Writer::Often { stop, thread }))
    }
}

/// What writes the counts.
#[derive(Debug)]
pub struct Stats(Writer);

#[derive(Debug)]
enum Writer {
    AtTheEnd(StatsFile),
    Often { stop: flume::Sender<()>, thread: JoinHandle<StatsFile> },
}

impl Stats {
    /// Writes the counts with which the run ends.
    ///
    /// # Errors
    /// They cannot be written (74).
    pub fn finish(self, standing: &impl Standing) -> Result<(), Failure> {
        let mut file = match self.0 {
            Writer::AtTheEnd(file) => file,
            Writer::Often { stop, thread } => {
                drop(stop);
                let ended = thread.join();
                ended.map_err(|_| {
                    Failure::new(Exit::Software, "the thread that writes --stats failed")
                })?
            }
        };
        let written = file.write(&standing.figures());
        written.map_err(|error| Failure::io(format!("write {}", file.name), &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt;

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
}
