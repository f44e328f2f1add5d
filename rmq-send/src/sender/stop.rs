//! Requests to stop, and how long a stop may take.

use rmq_common::runtime::{first, sleep_until};
use std::future::{Future, pending};
use std::time::{Duration, Instant};

/// How long the last confirms are awaited after a signal.
pub const LAST_CONFIRMS: Duration = Duration::from_secs(10);

/// Requests to stop.
#[derive(Debug)]
pub struct Stop {
    signals: flume::Receiver<i32>,
    /// Confirms are awaited until this time.
    deadline: Option<Instant>,
    /// A signal that came during other work.
    came: Option<i32>,
}

impl Stop {
    /// Listens for these signals.
    pub fn new(signals: flume::Receiver<i32>) -> Self {
        Stop { signals, deadline: None, came: None }
    }

    /// Waits for the next signal. Safe to drop.
    pub async fn next(&self) -> i32 {
        match self.signals.recv_async().await {
            Ok(signal) => signal,
            Err(_) => pending().await,
        }
    }

    /// When the run has to end, if it has to.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether that time has passed.
    pub fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// The run has to end. False if that was already so.
    pub fn begin(&mut self) -> bool {
        let is_first = self.deadline.is_none();
        self.deadline.get_or_insert_with(|| Instant::now() + LAST_CONFIRMS);
        is_first
    }

    /// The first signal that came during other work, once.
    pub fn take(&mut self) -> Option<i32> {
        self.came.take()
    }

    /// Does `work` unless a signal stops it: after the first, it may take as long as `grace`; the
    /// second, or the deadline, ends it. The first can be [taken](Self::take) afterwards.
    pub async fn unless<T>(&mut self, grace: Duration, work: impl Future<Output = T>) -> Option<T> {
        let Stop { signals, deadline, came } = self;
        let mut deadline = *deadline;
        let stop = async {
            loop {
                let time = async {
                    sleep_until(deadline).await;
                    None
                };
                match first(async { signals.recv_async().await.ok() }, time).await {
                    Some(signal) if deadline.is_none() => {
                        came.get_or_insert(signal);
                        deadline = Some(Instant::now() + grace);
                    }
                    _ => return None,
                }
            }
        };
        first(async { Some(work.await) }, stop).await
    }
}
