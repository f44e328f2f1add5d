//! Requests to stop, and how long a stop may take.

use rmq_common::runtime::{first, sleep_until};
use std::future::{Future, pending};
use std::time::{Duration, Instant};

/// How long a signal leaves for the last confirms.
pub const LAST_CONFIRMS: Duration = Duration::from_secs(10);

/// The signals.
#[derive(Debug)]
pub struct Stop {
    signals: flume::Receiver<i32>,
    /// Confirms are awaited until then.
    deadline: Option<Instant>,
    /// One came during other work.
    came: Option<i32>,
}

impl Stop {
    /// By these signals.
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

    /// By when the run has to end, if it has to.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether that time is over.
    pub fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// The run has to end. False if it had to before.
    pub fn begin(&mut self) -> bool {
        let is_first = self.deadline.is_none();
        self.deadline.get_or_insert_with(|| Instant::now() + LAST_CONFIRMS);
        is_first
    }

    /// The first signal that came during other work, once.
    pub fn take(&mut self) -> Option<i32> {
        self.came.take()
    }

    /// Does `work` unless a signal stops it: the first leaves it so much `grace`, the second and the
    /// deadline end it. The first that came is there to [`take`](Self::take), whatever became of the
    /// work.
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
