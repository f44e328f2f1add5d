//! `--tee`: each record to standard output once it is confirmed, in the order of the input.
//!
//! A separate thread writes, because a reader may be slow; what waits for it is bounded, and no
//! more is read meanwhile. A reader that goes away stops the tee, not the sending.

use crate::input::framing::Format;
use rmq_common::failure::Failure;
use rmq_common::thread;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that may wait for a slow reader.
const MOST_BYTES: usize = 4 << 20;

/// The writing thread.
#[derive(Debug)]
pub struct Tee {
    format: Format,
    /// Confirmed records that are not handed over yet.
    batch: Vec<u8>,
    batches: Option<flume::Sender<Vec<u8>>>,
    /// How the thread ended, sent once.
    ended: flume::Receiver<io::Result<()>>,
    room: flume::Receiver<()>,
    waiting: Arc<AtomicUsize>,
    problem: Option<io::Error>,
}

impl Tee {
    /// Begins to write records of `format` to standard output.
    pub fn start(format: Format) -> Result<Self, Failure> {
        let (batches, received) = flume::unbounded::<Vec<u8>>();
        let (end, ended) = flume::bounded(1);
        let (made_room, room) = flume::bounded(1);
        let waiting = Arc::new(AtomicUsize::new(0));
        let written = waiting.clone();
        let write = move || {
            let mut output = io::stdout().lock();
            for batch in received {
                output.write_all(&batch)?;
                // The standard library's buffer holds back an unfinished line.
                output.flush()?;
                written.fetch_sub(batch.len(), Ordering::Release);
                let _ = made_room.try_send(());
            }
            Ok(())
        };
        thread::start("tee", move || {
            let _ = end.send(write());
        })
        .map_err(|error| Failure::io("start to write", &error))?;
        let batches = Some(batches);
        Ok(Tee { format, batch: Vec::new(), batches, ended, room, waiting, problem: None })
    }

    /// A record is confirmed.
    pub fn confirmed(&mut self, raw: &[u8]) {
        if self.batches.is_some() {
            self.format.frame(raw, &mut self.batch);
        }
    }

    /// Hands over what was confirmed, and checks whether the thread has ended.
    pub fn flush(&mut self) {
        if let Ok(ended) = self.ended.try_recv() {
            self.end(ended);
        }
        let Some(batches) = &self.batches else { return };
        if !self.batch.is_empty() {
            let batch = std::mem::take(&mut self.batch);
            self.waiting.fetch_add(batch.len(), Ordering::AcqRel);
            // Fails only if the thread has ended, which the next check finds.
            let _ = batches.send(batch);
        }
    }

    /// Whether more may be sent.
    pub fn has_room(&self) -> bool {
        self.batches.is_none() || self.waiting.load(Ordering::Acquire) < MOST_BYTES
    }

    /// Waits until something was written, or cannot be.
    pub async fn moved(&mut self) {
        let Tee { room, ended, .. } = self;
        let ended = async { ended.recv_async().await.ok() };
        let room = async {
            match room.recv_async().await {
                Ok(()) => None,
                // Its thread is ending, and says so through the other channel.
                Err(_) => std::future::pending().await,
            }
        };
        if let Some(ended) = rmq_common::runtime::first(room, ended).await {
            self.end(ended);
        }
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// Writing failed, and not because the reader has gone (74).
    pub async fn finish(mut self) -> Result<(), Failure> {
        self.flush();
        if self.batches.take().is_some()
            && let Ok(ended) = self.ended.recv_async().await
        {
            self.end(ended);
        }
        match self.problem {
            Some(error) => Err(Failure::io("write to standard output", &error)),
            None => Ok(()),
        }
    }

    fn end(&mut self, ended: io::Result<()>) {
        self.batches = None;
        self.batch = Vec::new();
        if let Err(error) = ended
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            self.problem = Some(error);
        }
    }
}
