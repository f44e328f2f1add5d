//! The end of `--ack downstream`: standard output is closed first, so that a filter lets go of what
//! it holds and the sender sees the end; then the last acknowledgements are awaited.

use crate::ack_lines::Said;
use crate::connected::{Connected, LETTING_GO};
use crate::downstream::heard;
use crate::receiver::{Receiver, write_failure};
use crate::stops::Stop;
use lapin::Event;
use rmq_common::amqp_error::{Trouble, trouble};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::runtime::{self, first, sleep_until};
use std::io;
use std::time::{Duration, Instant};

/// How long the last acknowledgements may take when we are told to go, or nobody reads any more.
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(10);

const GONE: &str = "the sender is gone";

enum Step {
    Said(Said),
    Written(io::Result<()>),
    Stop(Stop),
    Lost,
    Time,
}

impl Connected<'_> {
    /// Waits until what is out is done, and gives why the run stops then.
    pub(crate) async fn finish(&mut self, stop: Stop) -> Stop {
        if self.receiver.downstream.is_none() || matches!(stop, Stop::Failed(_)) {
            return stop;
        }
        if self.cancel_in_time().await.is_err() {
            return self.not_done(stop, "the connection is lost");
        }
        let mut stop = stop;
        let mut limit = limit(&stop);
        loop {
            self.obey_rest();
            let receiver = &mut *self.receiver;
            if !receiver.output.is_busy()
                && let Err(failure) = receiver.close_output()
            {
                return Stop::Failed(failure);
            }
            if self.ledger.done() == self.ledger.len() {
                return stop;
            }
            if matches!(stop, Stop::SenderGone) {
                return self.not_done(stop, GONE);
            }
            match self.last_step(limit).await {
                Step::Said(said) => self.obey(said),
                Step::Written(result) => match write_failure(result) {
                    Ok(()) => {}
                    Err(Stop::Failed(failure)) => return Stop::Failed(failure),
                    Err(_) => limit = limit.or_else(|| self::limit(&Stop::ReaderGone)),
                },
                // What is over already cannot end any sooner.
                Step::Stop(Stop::TimeUp) => {}
                Step::Stop(Stop::ReaderGone) => {
                    limit = limit.or_else(|| self::limit(&Stop::ReaderGone));
                }
                Step::Stop(Stop::SenderGone) => {
                    self.obey_rest();
                    if self.ledger.done() == self.ledger.len() {
                        return stop;
                    }
                    return self.not_done(stop, GONE);
                }
                // A second signal does not wait.
                Step::Stop(Stop::Signal(_)) if matches!(stop, Stop::Signal(_)) => return stop,
                Step::Stop(next) => {
                    limit = self::limit(&next).or(limit);
                    stop = next;
                }
                Step::Lost => return self.not_done(stop, "the connection is lost"),
                Step::Time if limit.is_some_and(|limit| limit <= Instant::now()) => {
                    return self.not_done(stop, "the sender takes too long");
                }
                Step::Time => {
                    if self.tell_silence().is_err() {
                        return self.not_done(stop, "no sender has opened --ack-from");
                    }
                }
            }
        }
    }

    /// Cancels the consumer, but waits for the broker no longer than letting go may take, and not
    /// past another signal.
    pub(crate) async fn cancel_in_time(&mut self) -> Result<(), Trouble> {
        let stops = self.receiver.stops.clone();
        let unanswered = || Err(Trouble::Lost("the broker does not answer".to_owned()));
        let again = async {
            let _ = stops.signal().await;
            unanswered()
        };
        let cancelled = first(again, self.subscription.cancel());
        runtime::timeout(LETTING_GO, cancelled).await.unwrap_or_else(unanswered)
    }

    async fn last_step(&mut self, limit: Option<Instant>) -> Step {
        let Connected { receiver, session, .. } = self;
        let Receiver { output, downstream, stops, .. } = &mut **receiver;
        let said = async { Step::Said(heard(downstream.as_ref()).await) };
        let written = async { Step::Written(output.result().await) };
        // `--timeout` is over for good, and would come again and again.
        let stops = crate::stops::Stops { deadline: None, ..stops.clone() };
        let stopped = async { Step::Stop(stops.next().await) };
        let lost = async {
            loop {
                if let Event::Error(error) = session.event().await {
                    // Only that it is lost matters: nothing more can be acknowledged on it.
                    let _ = trouble(&error);
                    return Step::Lost;
                }
            }
        };
        let silent_at = downstream.as_ref().and_then(|downstream| downstream.silent_at());
        let time = async {
            sleep_until([limit, silent_at].into_iter().flatten().min()).await;
            Step::Time
        };
        first(first(said, written), first(stopped, first(lost, time))).await
    }

    /// Something that is out is not done: it goes back to the queue, and comes again. After a
    /// signal that is no news.
    fn not_done(&self, stop: Stop, why: &str) -> Stop {
        if matches!(stop, Stop::Signal(_)) {
            return stop;
        }
        let count = self.ledger.len() - self.ledger.done();
        let queue = self.receiver.name();
        let text = format!(
            "receive from {queue}: {why}; {count} messages that are not done are back in the queue"
        );
        Stop::Failed(Failure::new(Exit::TempFail, text))
    }
}

/// How long the end may take.
fn limit(stop: &Stop) -> Option<Instant> {
    match stop {
        Stop::Signal(_) | Stop::ReaderGone => Instant::now().checked_add(LAST_ACKNOWLEDGEMENTS),
        _ => None,
    }
}
