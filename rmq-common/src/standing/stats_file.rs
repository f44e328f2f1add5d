//! `--stats FILE`: the counts of a run for programs, at its end and, on request, at intervals.

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

/// The file for the counts.
#[derive(Debug)]
pub struct StatsFile {
    program: &'static str,
    name: String,
    file: File,
    /// Whether its content is not ours alone, for example if a shell has opened it.
    is_shared: bool,
    /// It was reported that another run writes it too.
    has_rival: bool,
}

impl StatsFile {
    /// Opens the file `name`, before anything else is done; its content stays for now.
    ///
    /// # Errors
    /// It cannot be opened or created (74).
    pub fn open(program: &'static str, name: &str) -> Result<Self, Failure> {
        let name = standard_streams::to_write(name);
        let path = Path::new(name);
        let is_shared = files::is_descriptor(path);
        let behind = if is_shared { OFlags::APPEND } else { OFlags::empty() };
        let flags = OFlags::WRONLY | OFlags::CREATE | behind;
        // A file opened here never blocks: a reader that stops must not hold up the run.
        let opened = files::open(path, flags, Mode::from_raw_mode(0o666));
        let file = opened.map(File::from).map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::NXIO) => io::Error::other("nothing reads it"),
            _ => error,
        });
        let name = name.to_owned();
        match file {
            Ok(file) => Ok(StatsFile { program, name, file, is_shared, has_rival: false }),
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

    /// Reports once that another run has put a file of its own there.
    fn report_rival(&mut self, diagnostics: Diagnostics) {
        let now = (rustix::fs::fstat(&self.file), rustix::fs::stat(&self.name));
        if let (Ok(ours), Ok(there)) = now
            && !files::is_same(&ours, &there)
            && !self.is_shared
            && !std::mem::replace(&mut self.has_rival, true)
        {
            diagnostics.notice(&format!(
                "{}: another run writes it too, and it holds the counts of one at a time (give each \
                 run a file of its own)",
                self.name
            ));
        }
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

    /// The format depends on the file's name.
    fn text(&self, figures: &[Figure]) -> String {
        match self.name.strip_suffix(".prom") {
            Some(stem) => {
                let run = Path::new(stem).file_name().unwrap_or_default();
                prometheus(figures, self.program, &run.to_string_lossy())
            }
            None => json(figures),
        }
    }

    /// Starts to write the counts at this interval, or only at the end.
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
                self.report_rival(diagnostics);
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

/// Writes the counts. If a run ends without [`finish`](Self::finish), for example because no broker
/// is reached, the counts at that moment are written.
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
    fn finish(self, figures: &[Figure], diagnostics: Diagnostics) -> Result<(), Failure> {
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
        file.report_rival(diagnostics);
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
        let diagnostics = self.diagnostics;
        let writer = self.writer.take();
        writer.map_or(Ok(()), |writer| writer.finish(&standing.figures(), diagnostics))
    }
}

impl Drop for Stats {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take()
            && let Err(failure) = writer.finish(&(self.last)(), self.diagnostics)
        {
            // The run ends with another failure.
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
mod tests;
