//! Reads `--ack-from` on a separate thread, so that a sender never waits while our output waits for
//! it.

use crate::downstream::lines::{AckLines, Report};
use rmq_common::failure::{Cause, Failure};
use rmq_common::files;
use rmq_common::thread;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often to check whether a sender has opened the FIFO.
const NOBODY_THERE: Duration = Duration::from_millis(20);

/// The FIFO, and the thread that reads it.
#[derive(Clone, Debug)]
pub struct AckFifo {
    /// What a sender reports.
    pub reports: flume::Receiver<Report>,
    /// Signals that the announced sender is gone. All its reports have arrived by then.
    pub sender_gone: flume::Receiver<()>,
    announced: Arc<AtomicBool>,
}

impl AckFifo {
    /// Opens the FIFO and starts reading.
    ///
    /// # Errors
    /// It does not exist, or is not a FIFO (64); it cannot be read (74).
    pub fn open(path: &str) -> Result<Self, Failure> {
        let problem = |error| Failure::io(format!("read {path}"), &error);
        let opened = files::open(Path::new(path), OFlags::RDONLY, Mode::empty());
        let mut fifo = opened.map(File::from).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::usage(format!(
                "--ack-from {path}: {} (create it with mkfifo)",
                Cause(&error)
            )),
            _ => problem(error),
        })?;
        if !fifo.metadata().map_err(problem)?.file_type().is_fifo() {
            return Err(Failure::usage(format!(
                "--ack-from {path}: not a FIFO (create one with mkfifo)"
            )));
        }
        let mut lines = AckLines::default();
        let (sender, reports) = flume::unbounded();
        // What is already in the FIFO may have been meant for an earlier run.
        let mut block = vec![0; 1 << 16];
        while let Ok(length @ 1..) = fifo.read(&mut block) {
            for said in lines.read_left_over(&block[..length]) {
                // This function still holds the receiver.
                let _ = sender.send(said);
            }
        }
        let announced = Arc::new(AtomicBool::new(lines.is_announced()));
        let is_announced = announced.clone();
        let (ended, sender_gone) = flume::bounded(1);
        thread::start("acks", move || {
            read(&mut fifo, &mut lines, &sender, &is_announced);
            // The receiver is gone only if the tool is ending anyway.
            let _ = ended.send(());
        })
        .map_err(problem)?;
        Ok(AckFifo { reports, sender_gone, announced })
    }

    /// Whether a sender has announced itself.
    pub fn is_announced(&self) -> bool {
        self.announced.load(Ordering::Relaxed)
    }
}

/// Reads until the announced sender is gone.
fn read(
    fifo: &mut File,
    lines: &mut AckLines,
    sender: &flume::Sender<Report>,
    announced: &AtomicBool,
) {
    let mut block = vec![0; 1 << 16];
    loop {
        match fifo.read(&mut block) {
            Ok(0) if lines.is_announced() => return,
            Ok(0) => std::thread::sleep(NOBODY_THERE),
            Ok(length) => {
                for said in lines.read(&block[..length]) {
                    if sender.send(said).is_err() {
                        return;
                    }
                }
                announced.store(lines.is_announced(), Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut descriptors = [PollFd::new(fifo, PollFlags::IN)];
                // An error here recurs at the next read.
                let _ = poll(&mut descriptors, None);
            }
            // There is no way to report anything.
            Err(_) => return,
        }
    }
}
