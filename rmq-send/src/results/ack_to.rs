//! `--ack-to`: reports to rmq-recv, through a FIFO, what is done.
//!
//! A record is done when the cluster has confirmed it or it is safe in `--rejects`. Reports follow
//! the order of the input, so nothing is done before earlier records. [`AckLine`] is the format.

use crate::input::framing::Format;
use rmq_common::ack_line::AckLine;
use rmq_common::failure::Failure;
use rmq_common::{files, random, thread};
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

/// Reports that may wait for a slow reader.
const MOST_WAITING: usize = 16 << 10;

/// The thread that reports what is done.
#[derive(Debug)]
pub struct Acknowledger {
    name: String,
    /// Whether ids are reported instead of numbers.
    envelopes: bool,
    done: flume::Sender<Done>,
    room: flume::Receiver<()>,
    ended: flume::Receiver<io::Result<()>>,
}

#[derive(Debug)]
enum Done {
    /// All records up to this one.
    Upto(u64),
    Delivery(Arc<str>),
}

/// The FIFO, before it has a reader.
#[derive(Debug)]
pub struct Fifo {
    name: String,
}

impl Fifo {
    /// The FIFO `name`.
    ///
    /// # Errors
    /// It does not exist (74), or is not a FIFO (64): a file's reader could not see its writer's
    /// end.
    pub fn new(name: &str) -> Result<Self, Failure> {
        let problem = |error: Errno| Failure::io(format!("open {name}"), &error.into());
        check(name, &rustix::fs::stat(name).map_err(problem)?)?;
        Ok(Fifo { name: name.to_owned() })
    }

    /// Opens it; `None` if no process has it open for reading.
    ///
    /// # Errors
    /// It cannot be written (74), or is no longer a FIFO (64).
    pub fn open(&self) -> Result<Option<OwnedFd>, Failure> {
        // Does not wait for the reader, so that a signal can end the wait.
        let problem = |error| Failure::io(format!("open {}", self.name), &error);
        let fifo = match files::open(Path::new(&self.name), OFlags::WRONLY, Mode::empty()) {
            Ok(fifo) => fifo,
            Err(error) if Errno::from_io_error(&error) == Some(Errno::NXIO) => return Ok(None),
            Err(error) => return Err(problem(error)),
        };
        // Something else may be there by now, which must not be written to.
        check(&self.name, &rustix::fs::fstat(&fifo).map_err(|error| problem(error.into()))?)?;
        files::wait(&fifo).map_err(problem)?;
        Ok(Some(fifo))
    }
}

fn check(name: &str, status: &Stat) -> Result<(), Failure> {
    if FileType::from_raw_mode(status.st_mode) == FileType::Fifo {
        return Ok(());
    }
    Err(Failure::usage(format!("--ack-to {name}: not a FIFO (see mkfifo(1))")))
}

impl Acknowledger {
    /// Announces this run, and reports from here on what is done, for an input of `format`.
    pub fn start(name: &str, fifo: OwnedFd, format: Format) -> Result<Self, Failure> {
        let run = random::id()?;
        let (done, received) = flume::unbounded();
        let (end, ended) = flume::bounded(1);
        let (made_room, room) = flume::bounded(1);
        thread::start("ack-to", move || {
            let _ = end.send(report(File::from(fifo), &run, &received, &made_room));
        })
        .map_err(|error| Failure::io("start to write", &error))?;
        let envelopes = format == Format::Json;
        Ok(Acknowledger { name: name.to_owned(), envelopes, done, room, ended })
    }

    /// The records up to `number` are done, which completes `delivery`.
    pub fn done(&self, number: u64, delivery: Option<Arc<str>>) {
        let done = match (self.envelopes, delivery) {
            (false, _) => Done::Upto(number),
            (true, Some(delivery)) => Done::Delivery(delivery),
            (true, None) => return,
        };
        // Fails only if the thread has ended, which `finish` reports.
        let _ = self.done.send(done);
    }

    /// Whether more may be sent. A reader that has gone stops nothing.
    pub fn has_room(&self) -> bool {
        self.done.len() < MOST_WAITING || self.done.is_disconnected()
    }

    /// Waits until something was reported, or cannot be.
    pub async fn moved(&self) {
        let _ = self.room.recv_async().await;
    }

    /// Waits until everything is reported.
    ///
    /// # Errors
    /// It could not be reported (74); what was not is delivered again.
    pub async fn finish(self) -> Result<(), Failure> {
        drop(self.done);
        match self.ended.recv_async().await {
            Ok(Err(error)) => Err(Failure::io(format!("write to {}", self.name), &error)),
            _ => Ok(()),
        }
    }
}

/// Writes what is done until nothing more comes.
fn report(
    mut fifo: File,
    run: &str,
    done: &flume::Receiver<Done>,
    made_room: &flume::Sender<()>,
) -> io::Result<()> {
    let mut say = |line: AckLine<'_>| fifo.write_all(line.to_string().as_bytes());
    say(AckLine::Run(run))?;
    while let Ok(first) = done.recv() {
        let mut upto = None;
        for done in [first].into_iter().chain(done.drain()) {
            match done {
                Done::Upto(number) => upto = Some(number),
                Done::Delivery(id) => say(AckLine::Delivery(run, &id))?,
            }
        }
        // The last of several numbers implies the others.
        if let Some(number) = upto {
            say(AckLine::Records(run, number))?;
        }
        let _ = made_room.try_send(());
    }
    Ok(())
}
