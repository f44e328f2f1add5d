//! Writes standard output on a separate thread, because a reader may pause for as long as it likes
//! while signals and the broker still need an answer.

use crate::output::batch::Batch;
use crate::output::reader::{self, Watch};
use rmq_common::failure::Failure;
use rmq_common::thread;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

/// One system call writes at most this much: progress within a call is unknown.
const SLICE: usize = 64 << 10;
/// It may write this much more, if that is a remainder that would need another call.
const FEW: usize = 4 << 10;
/// The number of pieces that one call writes at most.
const MOST_TOGETHER: usize = 64;

/// The writing thread. It takes one batch at a time.
#[derive(Debug)]
pub struct Output {
    batches: Option<flume::Sender<Batch>>,
    results: flume::Receiver<io::Result<()>>,
    thread: Option<JoinHandle<()>>,
    written: Arc<AtomicU64>,
    handed: u64,
    busy: bool,
    reader: Watch,
}

impl Output {
    /// Starts the thread; with `sync`, data counts as written once it is on disk.
    pub fn start(sync: bool) -> Result<Self, Failure> {
        let problem = |error| Failure::io("write standard output", &error);
        // A descriptor of our own: the standard library's would search for line ends to flush at.
        let output = io::stdout().as_fd().try_clone_to_owned().map_err(problem)?;
        let output = File::from(output);
        let (batches, todo) = flume::bounded::<Batch>(1);
        let (done, results) = flume::bounded(1);
        let written = Arc::new(AtomicU64::new(0));
        let count = written.clone();
        let thread = thread::start("output", move || {
            for batch in todo {
                let result = if sync {
                    write_and_sync(&output, &batch, &count)
                } else {
                    write(&output, &batch, |bytes| count_up(&count, bytes))
                };
                if done.send(result).is_err() {
                    break;
                }
            }
        })
        .map_err(problem)?;
        let (batches, thread) = (Some(batches), Some(thread));
        let reader = reader::watch()?;
        Ok(Output { batches, results, thread, written, handed: 0, busy: false, reader })
    }

    /// Signals that the reader of standard output is gone; never for a file.
    pub fn reader_gone(&self) -> flume::Receiver<()> {
        self.reader.gone.clone()
    }

    /// Whether a batch is being written.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// Whether it is still open.
    pub fn is_open(&self) -> bool {
        self.batches.is_some()
    }

    /// Writes a batch; only while it is not busy.
    pub fn write(&mut self, batch: Batch) {
        self.handed += batch.len();
        self.busy = self.batches.as_ref().is_some_and(|batches| batches.send(batch).is_ok());
    }

    /// How many bytes it has been given, in total.
    pub fn handed(&self) -> u64 {
        self.handed
    }

    /// How many of them are written, in total.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Waits until the batch is written, or cannot be. Pending forever if there is none.
    pub async fn result(&mut self) -> io::Result<()> {
        if !self.busy {
            std::future::pending::<()>().await;
        }
        let result = self.results.recv_async().await;
        self.busy = false;
        result.unwrap_or_else(|_| Err(io::Error::other("the output thread ended")))
    }

    /// Closes standard output, so that the reader sees the end; only while it is not busy.
    pub fn close(&mut self) -> Result<(), Failure> {
        self.reader.end();
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            // The thread does not panic; and its descriptor is closed either way.
            let _ = thread.join();
        }
        let problem = |error| Failure::io("close standard output", &error);
        let nowhere = File::options().write(true).open("/dev/null").map_err(problem)?;
        rustix::stdio::dup2_stdout(nowhere).map_err(|error| problem(error.into()))
    }
}

fn count_up(count: &AtomicU64, bytes: usize) {
    count.fetch_add(bytes as u64, Ordering::Release);
}

fn write_and_sync(output: &File, batch: &Batch, count: &AtomicU64) -> io::Result<()> {
    write(output, batch, |_| {})?;
    output.sync_all()?;
    count.fetch_add(batch.len(), Ordering::Release);
    Ok(())
}

/// Writes a batch, and reports bytes to `out` as they are written.
fn write(mut output: impl Write + AsFd, batch: &Batch, out: impl Fn(usize)) -> io::Result<()> {
    let slices = batch.chunks().flat_map(|chunk| chunk.chunks(SLICE));
    let mut slices: Vec<IoSlice<'_>> = slices.map(IoSlice::new).collect();
    let mut rest = slices.as_mut_slice();
    while !rest.is_empty() {
        match output.write_vectored(rest.get(..together(rest)).unwrap_or_default()) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                out(written);
                IoSlice::advance_slices(&mut rest, written);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another process that shares this descriptor has made it non-blocking.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut descriptors = [PollFd::new(&output, PollFlags::OUT)];
                retry_on_intr(|| poll(&mut descriptors, None))?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// How many of these slices one system call writes: one, and more as long as they are short.
fn together(slices: &[IoSlice<'_>]) -> usize {
    let mut length = 0;
    let fits = slices.iter().take(MOST_TOGETHER).take_while(|slice| {
        length += slice.len();
        length <= SLICE + FEW
    });
    fits.count().max(1)
}
