//! When a run stops, why, and what it then ends with.

use crate::arguments::Arguments;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use rmq_common::runtime::{first, sleep_until};
use std::future::pending;
use std::io;
use std::time::{Duration, Instant};

/// How long it may take to give everything back at the end.
pub const LETTING_GO: Duration = Duration::from_secs(10);

/// The stop conditions that wait for messages, which `--peek` does not.
pub const WAITING: &str = "-n, --drain, --idle";

/// The stop conditions of the command line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditions {
    /// After so many messages.
    pub number: Option<u64>,
    /// When the queue has nothing more.
    pub drain: bool,
    /// When nothing has come for so long.
    pub idle: Option<Duration>,
    /// After so long.
    pub timeout: Option<Duration>,
}

impl Conditions {
    pub fn new(arguments: &Arguments) -> Self {
        let Arguments { number, drain, idle, timeout, .. } = *arguments;
        Conditions { number, drain, idle, timeout }
    }

    /// Whether one of [`WAITING`] is given.
    pub fn is_waiting(self) -> bool {
        self.number.is_some() || self.drain || self.idle.is_some()
    }

    /// When `--timeout` is over, if it begins now.
    pub fn deadline(self) -> Option<Instant> {
        self.timeout.and_then(|limit| Instant::now().checked_add(limit))
    }
}

/// Why a run stops.
#[derive(Debug)]
pub enum Stop {
    /// All that `-n` asked for is written.
    Met,
    /// The queue has nothing more for us.
    Drained,
    Idle,
    TimeUp,
    /// The reader of standard output is gone.
    ReaderGone,
    /// The sender that reports what is done (`--ack downstream`) is gone.
    SenderGone,
    Signal(i32),
    /// The run cannot continue.
    Failed(Failure),
}

impl Stop {
    /// What a failed write to standard output means.
    pub fn of_write(result: io::Result<()>) -> Result<(), Stop> {
        match result {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Stop::ReaderGone),
            Err(error) => Err(Stop::Failed(Failure::io("write standard output", &error))),
        }
    }

    /// What the run ends with; `left` is what `-n` still asks for, `queue` what it received from.
    pub fn outcome(self, queue: &str, left: Option<u64>) -> Result<Ending, Failure> {
        match self {
            Stop::Drained | Stop::Idle | Stop::TimeUp if left.is_some_and(|left| left > 0) => {
                Ok(Exit::No.into())
            }
            Stop::Met | Stop::Drained | Stop::Idle | Stop::TimeUp | Stop::ReaderGone => {
                Ok(Exit::Ok.into())
            }
            Stop::Signal(signal) => Ok(Ending::Signal(signal)),
            Stop::SenderGone if left == Some(0) => Ok(Exit::Ok.into()),
            // Without a connection nothing that is not done can be acknowledged any longer.
            Stop::SenderGone => {
                let text = format!("receive from {queue}: the sender is gone");
                Err(Failure::new(Exit::TempFail, text))
            }
            Stop::Failed(failure) => Err(failure),
        }
    }
}

/// What can ask the run to stop.
#[derive(Clone)]
pub struct Stops {
    pub signals: flume::Receiver<i32>,
    /// The reader of standard output is gone.
    pub reader_gone: Option<flume::Receiver<()>>,
    /// The sender on `--ack-from` is gone.
    pub sender_gone: Option<flume::Receiver<()>>,
    /// When `--timeout` is over.
    pub deadline: Option<Instant>,
}

impl Stops {
    /// Waits for a reason to stop.
    pub async fn next(&self) -> Stop {
        let reader_gone = received(self.reader_gone.as_ref(), |()| Stop::ReaderGone);
        let sender_gone = received(self.sender_gone.as_ref(), |()| Stop::SenderGone);
        let time_up = async {
            sleep_until(self.deadline).await;
            Stop::TimeUp
        };
        first(self.signal(), first(reader_gone, first(sender_gone, time_up))).await
    }

    /// Waits for a signal.
    pub async fn signal(&self) -> Stop {
        received(Some(&self.signals), Stop::Signal).await
    }
}

/// What a message means, once it comes; pending forever if none can.
async fn received<T>(messages: Option<&flume::Receiver<T>>, meaning: impl Fn(T) -> Stop) -> Stop {
    if let Some(messages) = messages
        && let Ok(message) = messages.recv_async().await
    {
        return meaning(message);
    }
    pending().await
}
