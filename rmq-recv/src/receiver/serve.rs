//! The heart of rmq-recv on one connection: take, write, acknowledge.
//!
//! Only one batch is in the writer's hands at a time, and an acknowledgement is sent only for what
//! is out. Everything else that may happen meanwhile (a signal, a reader that goes away, a lost
//! connection) is answered at once, however long the reader pauses.

use crate::queue::subscription::{Delivered, Subscription};
use crate::receiver::connected::{Break, Connected};
use crate::receiver::lasting::Receiver;
use crate::receiver::leader::Leader;
use crate::receiver::pace::Pace;
use crate::receiver::quiet::Quiet;
use crate::receiver::takeover::Takeover;
use crate::receiver::timers::Due;
use crate::sink::SinkEvent;
use crate::stops::{LETTING_GO, Stop};
use lapin::Event;
use rmq_common::amqp_error::{AmqpError, Breach, Loss, Lost};
use rmq_common::failure::Failure;
use rmq_common::runtime::{self, first, sleep_until};
use rmq_common::session::Session;
use std::future::pending;
use std::time::Instant;

#[derive(Debug)]
pub enum End {
    /// It has let go, and the run stops.
    Stop(Stop),
    Lost(Lost),
}

enum Step {
    Delivered(Delivered),
    Sink(SinkEvent),
    Lost(AmqpError),
    Time(Due),
}

/// Receives on `session` until something stops it or the connection is lost.
pub async fn serve(receiver: &mut Receiver, session: Session) -> End {
    let stops = receiver.stops.clone();
    let opened = async {
        let channel = session.channel().await?;
        let queue = receiver.settings.source.queue(&session, &channel).await?;
        let subscription = Subscription::on(&session, channel, queue.clone());
        Ok((queue, subscription))
    };
    let stopped = async { Err(Break::Stop(stops.next().await)) };
    let subscription = match first(stopped, opened).await {
        Ok((queue, subscription)) => {
            receiver.queue = queue;
            subscription
        }
        Err(Break::Stop(stop)) => {
            session.close().await;
            return End::Stop(stop);
        }
        Err(Break::Error(error)) => {
            return ended(receiver, session, error).await;
        }
    };
    let reconnected = receiver.earlier.was_connected();
    let receiver_is_stream = receiver.offset.is_some();
    receiver.hand.begin_channel();
    let mut connected = Connected {
        receiver,
        session,
        subscription,
        takeover: Takeover::new(),
        is_stream: receiver_is_stream,
        quiet: Quiet::new(reconnected),
        leader: Leader::default(),
        pace: Pace::default(),
        acknowledged: None,
        cancelled_by_broker: false,
    };
    // Whatever is under way when the word to stop comes is dropped: each step leaves things as
    // letting go finds them. What waits for an answer does not notice each end of a connection.
    let lost = connected.session.end();
    let lost = async { Err(Break::Error(lost.await)) };
    let stopped = async { Err(Break::Stop(stops.next().await)) };
    match first(stopped, first(connected.receive(), lost)).await {
        Ok(never) => match never {},
        Err(Break::Stop(stop)) => {
            let stop = connected.finish(stop).await;
            let stop = connected.finish_commands(stop).await;
            // Another signal, or a broker that does not answer, ends that too: it gives
            // everything back by itself when the connection is gone.
            let again = async {
                let _ = stops.signal().await;
            };
            let lost = connected.session.end();
            let lost = async {
                let _ = lost.await;
            };
            let let_go = connected.let_go(&stop);
            let _ = runtime::timeout(LETTING_GO, first(again, first(let_go, lost))).await;
            End::Stop(stop)
        }
        Err(Break::Error(error)) => {
            let Connected { receiver, session, .. } = connected;
            ended(receiver, session, error).await
        }
    }
}

impl Connected<'_> {
    async fn receive(&mut self) -> Result<std::convert::Infallible, Break> {
        self.consume().await?;
        loop {
            self.receiver.show();
            match self.step().await {
                Step::Delivered(Delivered::Message(message)) => {
                    self.message_came();
                    if !self.receiver.hand.wants_more() {
                        continue;
                    }
                    if self.receiver.sink.commands().is_some() {
                        self.begin(&message)?;
                    } else {
                        self.take(message)?;
                    }
                }
                Step::Delivered(Delivered::End { by_broker }) => {
                    self.cancelled_by_broker = by_broker;
                }
                Step::Delivered(Delivered::Early) => self.take_over().await?,
                Step::Delivered(Delivered::Error(error)) | Step::Lost(error) => {
                    return Err(error.into());
                }
                Step::Sink(SinkEvent::Ended(number)) => self.ran(number)?,
                Step::Sink(SinkEvent::Written(result)) => self.written(result)?,
                Step::Sink(SinkEvent::Reported(said)) => self.apply(said),
                Step::Time(due) => {
                    // So that the word to stop is heard, even if something is due again at once.
                    runtime::yield_now().await;
                    self.due(due).await?;
                }
            }
            self.settle().await?;
        }
    }

    /// Waits for the next thing to happen. Safe to drop at any point.
    async fn step(&mut self) -> Step {
        let next = self.next_due();
        let rest = self.pace.rest(Instant::now());
        let Connected { receiver, session, subscription, .. } = self;
        let has_room = receiver.sink.has_room();
        let sink = &mut receiver.sink;
        let delivered = async {
            // What comes while there is no room waits in the lane and in the socket.
            if !has_room {
                pending::<()>().await;
            }
            if rest.is_some() {
                sleep_until(rest).await;
            }
            Step::Delivered(subscription.next().await)
        };
        let sink = async { Step::Sink(sink.next().await) };
        let lost = async {
            loop {
                if let Event::Error(error) = session.event().await {
                    return Step::Lost(AmqpError::from(&error));
                }
            }
        };
        let time = async {
            match next {
                Some((time, due)) => {
                    sleep_until(Some(time)).await;
                    Step::Time(due)
                }
                None => pending().await,
            }
        };
        first(first(sink, delivered), first(lost, time)).await
    }
}

/// What error means for the run: a lost connection is made again, a refusal ends it.
async fn ended(receiver: &mut Receiver, session: Session, error: AmqpError) -> End {
    let error = session.explained(error).await;
    receiver.hand.saw_body(usize::try_from(session.largest()).unwrap_or(usize::MAX));
    let hint = receiver.settings.source.hint(&session, &error).await;
    session.cut();
    match error {
        AmqpError::Lost(lost) => {
            if let Loss::Channels(_) = lost.why {
                receiver.earlier.refused_a_channel();
            }
            End::Lost(lost)
        }
        // Seen from RabbitMQ 3.10 under a partition: an unexpected consume-ok. A broker that sends
        // them again and again will not stop.
        AmqpError::Protocol(violation)
            if violation.breach == Breach::Unasked
                && receiver.earlier.may_answer_unasked(receiver.tally.acknowledged) =>
        {
            End::Lost(Lost::because("the broker sent an answer to a question that was not asked"))
        }
        refused @ AmqpError::Refused(_) => {
            End::Stop(Stop::Failed(receiver.refused(refused, &hint)))
        }
        protocol @ AmqpError::Protocol(_) => {
            let failure: Failure = protocol.failure();
            let queue = receiver.name();
            End::Stop(Stop::Failed(failure.context(format!("receive from {queue}"))))
        }
    }
}
