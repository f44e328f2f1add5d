//! The end of `--ack downstream`: standard output is closed first, so that a filter releases what
//! it holds and the sender sees the end; then the last acknowledgements are awaited.

use crate::receiver::connected::{Break, Connected};
use crate::receiver::lasting::Receiver;
use crate::sink::SinkEvent;
use crate::stops::{LETTING_GO, Stop, Stops};
use lapin::Event;
use rmq_common::amqp_error::AmqpError;
use rmq_common::count::counted;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::runtime::{self, first, sleep_until};
use std::time::{Duration, Instant};

/// How long the last acknowledgements may take after a signal, a timeout, or the end of the reader.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(10);

const GONE: &str = "the sender is gone";
/// The sender has seen the end of our output.
const ENDED: &str =
    "the sender ended too early (does the filter write one record for each, or keep the id?)";

enum Step {
    Sink(SinkEvent),
    Stop(Stop),
    Lost(AmqpError),
    Time,
}

impl Connected<'_> {
    /// Waits until everything written is done, and returns why the run then stops.
    pub(super) async fn finish(&mut self, stop: Stop) -> Stop {
        if self.receiver.sink.downstream().is_none() || matches!(stop, Stop::Failed(_)) {
            return stop;
        }
        let mut stop = stop;
        let mut limit = limit(&stop);
        match self.cancel_in_time().await {
            Ok(()) => {}
            Err(Break::Stop(signal)) if matches!(stop, Stop::Signal(_)) => return signal,
            Err(Break::Stop(signal)) => {
                limit = self::limit(&signal);
                stop = signal;
            }
            Err(Break::Error(error)) => return self.not_done(stop, &lost(error)),
        }
        loop {
            self.apply_rest();
            let sink = &mut self.receiver.sink;
            if !sink.is_busy()
                && let Err(failure) = sink.close_output()
            {
                return Stop::Failed(failure);
            }
            if self.receiver.hand.open_count() == 0 {
                return stop;
            }
            if matches!(stop, Stop::SenderGone) {
                return self.not_done(stop, GONE);
            }
            match self.last_step(&stop, limit).await {
                Step::Sink(SinkEvent::Reported(said)) => self.apply(said),
                Step::Sink(SinkEvent::Written(result)) => match Stop::of_write(result) {
                    Ok(()) => {}
                    Err(Stop::Failed(failure)) => return Stop::Failed(failure),
                    Err(_) => limit = limit.or_else(|| self::limit(&Stop::ReaderGone)),
                },
                Step::Stop(Stop::ReaderGone) => {
                    limit = limit.or_else(|| self::limit(&Stop::ReaderGone));
                }
                Step::Stop(Stop::SenderGone) => {
                    self.apply_rest();
                    if self.receiver.hand.open_count() == 0 {
                        return stop;
                    }
                    let is_closed = self.receiver.sink.is_closed();
                    return self.not_done(stop, if is_closed { ENDED } else { GONE });
                }
                // A second signal ends the wait.
                Step::Stop(Stop::Signal(_)) if matches!(stop, Stop::Signal(_)) => return stop,
                Step::Stop(next) => {
                    limit = self::limit(&next).or(limit);
                    stop = next;
                }
                // Only commands end that way.
                Step::Sink(SinkEvent::Ended(_)) => {}
                Step::Lost(error) => return self.not_done(stop, &lost(error)),
                Step::Time if limit.is_some_and(|limit| limit <= Instant::now()) => {
                    let why = match stop {
                        Stop::TimeUp => "--timeout expired before the sender ended",
                        _ => "the sender took too long",
                    };
                    return self.not_done(stop, why);
                }
                Step::Time => {
                    if self.report_silence().is_err() {
                        return self.not_done(stop, "no sender has opened --ack-from");
                    }
                }
            }
        }
    }

    /// Cancels the consumer, but waits no longer than letting go may take, nor beyond another
    /// signal.
    pub(super) async fn cancel_in_time(&mut self) -> Result<(), Break> {
        let stops = self.receiver.stops.clone();
        let again = async { Err(Break::Stop(stops.signal().await)) };
        let cancel = async { Ok(self.subscription.cancel().await?) };
        let cancelled = runtime::timeout(LETTING_GO, first(again, cancel)).await;
        cancelled.unwrap_or_else(|| Err(AmqpError::unanswered().into()))
    }

    async fn last_step(&mut self, stop: &Stop, limit: Option<Instant>) -> Step {
        let Connected { receiver, session, .. } = self;
        let Receiver { sink, stops, .. } = &mut **receiver;
        let silent_at = sink.downstream().and_then(|downstream| downstream.silent_at());
        let sink = async { Step::Sink(sink.next().await) };
        // Once `--timeout` is over, it would fire again and again.
        let deadline = stops.deadline.filter(|_| !matches!(stop, Stop::TimeUp | Stop::Signal(_)));
        let stops = Stops { deadline, ..stops.clone() };
        let stopped = async { Step::Stop(stops.next().await) };
        let lost = async {
            loop {
                if let Event::Error(error) = session.event().await {
                    return Step::Lost(AmqpError::from(&error));
                }
            }
        };
        let time = async {
            sleep_until([limit, silent_at].into_iter().flatten().min()).await;
            Step::Time
        };
        first(sink, first(stopped, first(lost, time))).await
    }

    /// Something written is not done: it goes back to the queue. After a signal, that is expected.
    fn not_done(&self, stop: Stop, why: &str) -> Stop {
        if matches!(stop, Stop::Signal(_)) {
            return stop;
        }
        let count = counted(self.receiver.hand.open_count(), "message");
        let queue = self.receiver.name();
        let text = format!("receive from {queue}: {why}; {count} requeued");
        Stop::Failed(Failure::new(Exit::TempFail, text))
    }
}

/// Why nothing more can be acknowledged.
fn lost(error: AmqpError) -> String {
    match error {
        error if error.is_unexplained() => "the connection was lost".to_owned(),
        error => format!("the connection was lost ({})", error.failure()),
    }
}

/// How long the end may take.
fn limit(stop: &Stop) -> Option<Instant> {
    match stop {
        Stop::Signal(_) | Stop::ReaderGone | Stop::TimeUp => {
            Instant::now().checked_add(LAST_ACKNOWLEDGEMENTS)
        }
        _ => None,
    }
}
