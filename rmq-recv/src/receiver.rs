//! The heart of rmq-recv across connections: connect, serve, let go or connect again.

use crate::arguments::Arguments;
use crate::connected::{Connected, End};
use crate::credit::Credit;
use crate::output::Output;
use crate::tally::Tally;
use lapin::types::ShortString;
use rmq_common::amqp_error::Trouble;
use rmq_common::connection::Broker;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::runtime::{self, first};
use rmq_common::session::Session;
use std::future::pending;
use std::time::Duration;

/// Everything a run holds, whichever connection it is on.
pub struct Receiver {
    pub(crate) broker: Broker,
    pub(crate) queue: ShortString,
    pub(crate) output: Output,
    pub(crate) credit: Credit,
    pub(crate) drain: bool,
    pub(crate) tally: Tally,
    pub(crate) stops: Stops,
    pub(crate) diagnostics: Diagnostics,
    /// A connection has been lost before this one.
    pub(crate) reconnected: bool,
    /// On this connection the broker has given us a consumer.
    pub(crate) consumed: bool,
    /// Since the last time that it had.
    patience: Patience,
}

/// Where the word to stop comes from.
#[derive(Clone)]
pub struct Stops {
    /// Signals.
    pub signals: flume::Receiver<i32>,
    /// The reader of standard output is gone.
    pub gone: flume::Receiver<()>,
}

/// Why a run stops.
#[derive(Debug)]
pub enum Stop {
    /// All that `-n` asked for is out.
    Met,
    /// The queue has nothing more for us.
    Drained,
    /// Whoever read standard output is gone.
    ReaderGone,
    /// A signal asked for it.
    Signal(i32),
    /// It cannot go on.
    Failed(Failure),
}

impl Stops {
    /// Waits for the word to stop.
    pub async fn next(&self) -> Stop {
        let signal = async {
            match self.signals.recv_async().await {
                Ok(signal) => Stop::Signal(signal),
                Err(_) => pending().await,
            }
        };
        let gone = async {
            match self.gone.recv_async().await {
                Ok(()) => Stop::ReaderGone,
                Err(_) => pending().await,
            }
        };
        first(signal, gone).await
    }
}

impl Receiver {
    /// Receives as the arguments say, from `queue` of `broker`.
    pub fn new(
        arguments: &Arguments,
        broker: Broker,
        queue: ShortString,
        output: Output,
        stops: Stops,
        retry: Limit,
        diagnostics: Diagnostics,
    ) -> Self {
        Receiver {
            broker,
            queue,
            output,
            credit: Credit::new(arguments.number, arguments.prefetch),
            drain: arguments.drain,
            tally: Tally::default(),
            stops,
            diagnostics,
            reconnected: false,
            consumed: false,
            patience: Patience::new(retry),
        }
    }

    /// Serves `session`, and after it as many more as it takes, until something stops it.
    ///
    /// # Errors
    /// Whatever keeps it from going on, with the exit status it ends with.
    pub async fn run(mut self, session: Session) -> (Result<Ending, Failure>, Tally) {
        let mut session = Some(session);
        let mut backoff = Backoff::default();
        let stop = loop {
            let connected = match session.take() {
                Some(session) => Ok(session),
                None => self.reconnect().await,
            };
            let acknowledged = self.tally.acknowledged;
            let session = match connected {
                Ok(session) => session,
                Err(stop) => break stop,
            };
            let host = session.host().to_owned();
            match Connected::serve(&mut self, session).await {
                End::Stop(stop) => break stop,
                End::Lost(why) => {
                    self.diagnostics.notice(&format!("lost the connection to {host}: {why}"));
                    if self.tally.acknowledged > acknowledged {
                        backoff.reset();
                    }
                    if std::mem::take(&mut self.consumed) {
                        self.patience.progress();
                    }
                    if self.patience.is_over() {
                        let (queue, limit) = (&self.queue, self.patience.limit());
                        let text = format!("receive from {queue}: {why} (--retry {limit})");
                        break Stop::Failed(Failure::new(Exit::Unavailable, text));
                    }
                    // Each connection that ends without an acknowledgement costs its messages a
                    // delivery, and quorum queues count those; so the next one comes later.
                    if let Some(stop) = self.pause(backoff.next_pause()).await {
                        break stop;
                    }
                }
            }
        };
        (self.outcome(stop), self.tally)
    }

    fn outcome(&self, stop: Stop) -> Result<Ending, Failure> {
        match stop {
            Stop::Drained if self.credit.is_short() => Ok(Exit::No.into()),
            Stop::Met | Stop::Drained | Stop::ReaderGone => Ok(Exit::Ok.into()),
            Stop::Signal(signal) => Ok(Ending::Signal(signal)),
            Stop::Failed(failure) => Err(failure),
        }
    }

    /// Connects again, once what was being written is out: there is no use in taking more before.
    async fn reconnect(&mut self) -> Result<Session, Stop> {
        while self.output.is_busy() {
            let Receiver { output, stops, .. } = self;
            let written = async { Ok(output.written().await) };
            let stop = async { Err(stops.next().await) };
            // Its messages are not ours to acknowledge any more: they come again.
            let written = first(stop, written).await?;
            write_failure(written.problem)?;
        }
        let Receiver { broker, stops, patience, .. } = self;
        let connect = async { broker.connect(patience).await.map_err(Stop::Failed) };
        let stop = async { Err(stops.next().await) };
        let session = first(stop, connect).await?;
        self.diagnostics.notice(&format!("connected to {}", session.host()));
        self.credit.reconnected();
        self.reconnected = true;
        Ok(session)
    }

    async fn pause(&mut self, pause: Duration) -> Option<Stop> {
        let time = async {
            runtime::sleep(pause).await;
            None
        };
        first(async { Some(self.stops.next().await) }, time).await
    }

    /// A refusal of the broker's, told with the queue it is about.
    pub(crate) fn refused(&self, trouble: Trouble) -> Failure {
        let (queue, vhost) = (&self.queue, self.broker.vhost());
        let failure = trouble.failure();
        let said = failure.to_string();
        if said.starts_with("no queue ") {
            Failure::new(
                failure.exit(),
                format!("receive from {queue}: no such queue in vhost {vhost}"),
            )
        } else {
            failure.context(format!("receive from {queue} in vhost {vhost}"))
        }
    }
}

/// What a failed write means.
pub(crate) fn write_failure(problem: Option<std::io::Error>) -> Result<(), Stop> {
    match problem {
        None => Ok(()),
        Some(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Stop::ReaderGone),
        Some(error) => Err(Stop::Failed(Failure::io("write standard output", &error))),
    }
}
