//! Why a run stops, and where the word to stop comes from.

use rmq_common::failure::Failure;
use rmq_common::runtime::{first, sleep_until};
use std::future::pending;
use std::io;
use std::time::{Duration, Instant};

/// How long giving everything back may take at the end.
pub const LETTING_GO: Duration = Duration::from_secs(10);

/// Why a run stops.
#[derive(Debug)]
pub enum Stop {
    /// All that `-n` asked for is out.
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
    /// It cannot go on.
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
}

/// What asks the run to stop.
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

/// What a message means, once it comes; for ever pending where none can.
async fn received<T>(messages: Option<&flume::Receiver<T>>, meaning: impl Fn(T) -> Stop) -> Stop {
    if let Some(messages) = messages
        && let Ok(message) = messages.recv_async().await
    {
        return meaning(message);
    }
    pending().await
}
