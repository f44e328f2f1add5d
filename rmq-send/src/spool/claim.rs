//! Acquiring a spool, and waiting while an earlier run has it.
//!
//! A logger that is restarted gracefully is started again while the old one still sends. Nothing is
//! read meanwhile, so that the pipe keeps it, and nothing is lost if this run ends.

use crate::input::sources::Source;
use crate::spool::disk::Directory;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::failure::Failure;
use rmq_common::retry::Patience;
use rmq_common::runtime::{self, first};
use rmq_common::thread;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait before reporting it.
const NOTICE: Duration = Duration::from_secs(1);
/// How often to check whether the input has ended.
const CHECK_AGAIN: Duration = Duration::from_millis(100);

/// How to wait for a spool.
pub struct Claim<'a> {
    /// What will be read. As long as any of it may still come, the wait has no limit.
    pub sources: &'a [Source],
    /// How long to wait once the input has ended.
    pub retry: Limit,
    /// Requests to stop.
    pub signals: &'a flume::Receiver<i32>,
    /// Where the wait is reported.
    pub diagnostics: Diagnostics,
}

/// How the wait ended.
pub enum Claimed {
    /// This run has the spool.
    Ours(Arc<Directory>),
    /// A signal came first; nothing is read.
    Signalled(i32),
}

/// What happened next.
enum Step {
    Locked(Result<(), Failure>),
    Signal(i32),
    Time,
}

impl Claim<'_> {
    /// Locks the spool in `directory`, which is created if missing.
    ///
    /// # Errors
    /// Another rmq-send has it, and the input has ended for as long as `retry` (75); it cannot be
    /// opened or locked (74).
    pub async fn wait_for(&self, directory: &str) -> Result<Claimed, Failure> {
        loop {
            let directory = Arc::new(Directory::open(Path::new(directory))?);
            if !directory.try_lock()?
                && let Some(signal) = self.wait(&directory).await?
            {
                return Ok(Claimed::Signalled(signal));
            }
            // It may have been removed and created again meanwhile.
            if directory.is_current() {
                return Ok(Claimed::Ours(directory));
            }
        }
    }

    async fn wait(&self, directory: &Arc<Directory>) -> Result<Option<i32>, Failure> {
        let (sender, locked) = flume::bounded(1);
        let waiting = Arc::clone(directory);
        // Only the lock itself ends the system call, so it gets a thread of its own.
        thread::start("lock", move || {
            let _ = sender.send(waiting.wait_for_lock());
        })
        .map_err(|error| Failure::io("start to wait for the spool", &error))?;
        let (begun, mut reported, mut patience) = (Instant::now(), false, None);
        loop {
            if self.input_has_ended() {
                let patience = patience.get_or_insert_with(|| Patience::new(self.retry));
                if patience.is_over() {
                    return Err(directory.in_use());
                }
            }
            if !reported && begun.elapsed() >= NOTICE {
                reported = true;
                let in_use = directory.in_use();
                self.diagnostics.notice(&format!("{in_use}; waiting, and nothing is read"));
            }
            let locked = async {
                match locked.recv_async().await {
                    Ok(locked) => Step::Locked(locked),
                    Err(_) => std::future::pending().await,
                }
            };
            let signal = async {
                match self.signals.recv_async().await {
                    Ok(signal) => Step::Signal(signal),
                    Err(_) => std::future::pending().await,
                }
            };
            let time = async {
                runtime::sleep(CHECK_AGAIN).await;
                Step::Time
            };
            match first(signal, first(locked, time)).await {
                Step::Locked(locked) => {
                    if reported && locked.is_ok() {
                        let shown = directory.path().display();
                        self.diagnostics.notice(&format!("spool {shown}: no longer in use"));
                    }
                    return locked.map(|()| None);
                }
                Step::Signal(signal) => return Ok(Some(signal)),
                Step::Time => {}
            }
        }
    }

    /// Whether nothing can come after what is already there.
    fn input_has_ended(&self) -> bool {
        self.sources.iter().all(|source| source.is_finite() || source.hung_up().is_some())
    }
}
