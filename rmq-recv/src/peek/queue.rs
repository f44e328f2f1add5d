//! `--peek`: shows messages and puts them back in their places.
//!
//! The method of putting them back decides whether they keep their places and whether that counts.
//! Measured on quorum queues: up to 4.2 every method counts as a delivery, and a nack moves
//! messages to the end of a queue without a delivery limit, while closing the channel does not;
//! from 4.3 on a nack does neither, and closing the channel counts. Classic queues keep places
//! anyway.

use crate::delivery::message::Message;
use crate::output::batch::Batch;
use crate::output::writer::Output;
use crate::peek::delivery_limit::{self, Kind};
use crate::peek::get::Getting;
use crate::peek::rescue::rescue;
use crate::peek::returns::{Returns, Verdict};
use crate::peek::stream;
use crate::queue::retry::ask_again;
use crate::queue::subscription::Subscription;
use crate::settings::Settings;
use crate::stops::{LETTING_GO, Stop, Stops};
use lapin::Channel;
use lapin::options::BasicNackOptions;
use lapin::types::ShortString;
use rmq_common::amqp_error::{AmqpError, Refusal};
use rmq_common::connection::Broker;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use rmq_common::retry::Patience;
use rmq_common::runtime::{self, first};
use rmq_common::session::Session;

/// A run that only shows messages.
pub struct Peek<'a> {
    /// What to show, and how.
    pub settings: &'a Settings,
    /// How many messages at most.
    pub number: u64,
    /// The broker of the queue.
    pub broker: &'a mut Broker,
    /// For how long to try to reach it again.
    pub patience: Patience,
    /// Where shown messages go.
    pub output: &'a mut Output,
    /// What asks the run to stop.
    pub stops: &'a Stops,
    /// Where the cost of peeking is reported.
    pub diagnostics: Diagnostics,
}

/// What was taken, and what is known about it.
struct Taken {
    returns: Returns,
    /// Messages to put back.
    count: u32,
    /// How often the message that came back most had come back.
    most: u64,
}

/// Why peeking ends.
enum Break {
    Stop(Stop),
    /// It is a stream, and the question may have cost the connection.
    Stream,
    /// This message must not be put back.
    Last(Box<Message>),
}

impl From<Stop> for Break {
    fn from(stop: Stop) -> Self {
        Break::Stop(stop)
    }
}

impl Peek<'_> {
    /// Shows messages, and puts all of them back.
    ///
    /// # Errors
    /// There is no such queue, the connection was lost, standard output accepts no more, or a
    /// message was delivered too often; nevertheless, everything is in the queue.
    pub async fn run(mut self, session: Session) -> Result<Ending, Failure> {
        let stops = self.stops.clone();
        let stopped = async { Err(stops.next().await) };
        let (session, asked) = match first(stopped, self.ask(session)).await {
            Ok(asked) => asked,
            Err(stop) => return outcome(Err(stop)),
        };
        let Some((channel, returns)) = asked else { return self.stream(session).await };
        if let Some(limit) = returns.forbids() {
            session.close().await;
            let text = format!(
                "peek at {}: its delivery limit of {limit} is too low to put messages back; nothing \
                 was taken",
                self.queue()
            );
            return Err(Failure::data(text));
        }
        let mut taken = Taken { returns, count: 0, most: 0 };
        let mut getting = Getting::on(&session, channel);
        let stopped = async { Err(Break::Stop(stops.next().await)) };
        let shown = first(stopped, self.show(&session, &mut getting, &mut taken)).await;
        let shown = match shown {
            Ok(()) => Ok(()),
            Err(Break::Stop(stop)) => Err(stop),
            Err(Break::Stream) => return self.stream(session).await,
            // Before anything else: dropping this half-way would lose it.
            Err(Break::Last(message)) => {
                taken.count -= 1;
                Err(self.last(&session, getting.channel(), *message).await)
            }
        };
        if taken.count > 0
            && let Some(notice) = taken.returns.notice(self.queue().as_str(), taken.most)
            && !matches!(shown, Err(Stop::Failed(_)))
        {
            self.diagnostics.notice(&notice);
        }
        put_back(session, getting.into_channel(), self.queue(), taken.count).await;
        outcome(shown)
    }

    fn queue(&self) -> &ShortString {
        self.settings.source.name()
    }

    /// A channel to fetch on, and what the queue does with messages that are put back; `None` for a
    /// stream. Only one channel at a time, because a user may be allowed no second one.
    async fn ask(
        &mut self,
        session: Session,
    ) -> Result<(Session, Option<(Channel, Returns)>), Stop> {
        let Peek { settings, broker, patience, .. } = self;
        let (queue, vhost) = (settings.source.name(), broker.vhost().to_owned());
        let mut kind = None;
        let ask = async |session: &Session| {
            let known = match kind {
                Some(known) => known,
                None => *kind.insert(delivery_limit::ask(session, queue, &vhost).await?),
            };
            match known {
                Kind::Queue(returns) => Ok(Some((session.channel().await?, returns))),
                Kind::Stream => Ok(None),
            }
        };
        let refused = |error| refused(error, queue, &vhost);
        ask_again(broker, patience, session, ask, refused).await.map_err(Stop::Failed)
    }

    fn failed(&self, error: AmqpError) -> Break {
        Break::Stop(Stop::Failed(refused(error, self.queue(), self.broker.vhost())))
    }

    async fn show(
        &mut self,
        session: &Session,
        getting: &mut Getting,
        taken: &mut Taken,
    ) -> Result<(), Break> {
        for _ in 0..self.number {
            let got = match getting.get(session, self.queue()).await {
                // This ends the connection.
                Err(AmqpError::Refused(refused)) if refused.what == Refusal::NotImplemented => {
                    return Err(Break::Stream);
                }
                got => got.map_err(|error| self.failed(error))?,
            };
            let Some(got) = got else { break };
            taken.count += 1;
            let message = got.message().map_err(|why| {
                let failure = Failure::new(Exit::Software, why);
                Stop::Failed(failure.context(format!("peek at {}", self.queue())))
            })?;
            let count = message.delivery_count().unwrap_or(0);
            match taken.returns.judge(count) {
                Verdict::Show => taken.most = taken.most.max(count),
                Verdict::Refuse => return Err(self.fail(&taken.returns.refusal(count)).into()),
                Verdict::Last => return Err(Break::Last(Box::new(message))),
            }
            self.write(message).await?;
        }
        Ok(())
    }

    /// Keeps a message that must not be put back.
    async fn last(&mut self, session: &Session, channel: &Channel, message: Message) -> Stop {
        let count = message.delivery_count().unwrap_or(0);
        let would = format!(
            "its next message was returned {count} times, and the queue would drop or dead-letter it"
        );
        match rescue(session, channel, self.queue(), &message).await {
            Ok(()) => self.fail(&format!(
                "{would}: it was moved to the end of the queue (receive it instead)"
            )),
            Err(why) => match self.write(message).await {
                Ok(()) => self.fail(&format!(
                    "{would}, and it could not be moved to its end ({why}): it is on standard output"
                )),
                Err(stop) => stop,
            },
        }
    }

    fn fail(&self, why: &str) -> Stop {
        Stop::Failed(Failure::data(format!("peek at {}: {why}", self.queue())))
    }

    async fn write(&mut self, message: Message) -> Result<(), Stop> {
        let mut batch = Batch::default();
        let written = self.settings.framing.write(message, None, &mut batch);
        written.map_err(|why| {
            let text = format!("write a message of {}: {why}", self.queue());
            Stop::Failed(Failure::data(text))
        })?;
        self.output.write(batch);
        Stop::of_write(self.output.result().await)
    }

    async fn stream(self, session: Session) -> Result<Ending, Failure> {
        session.cut();
        let session = self.broker.connect(&self.patience).await?;
        let Peek { settings, number, broker, output, stops, .. } = self;
        let (queue, vhost) = (settings.source.name(), broker.vhost());
        let refused = |error: AmqpError| refused(error, queue, vhost);
        let show = stream::show(settings, number, &session, output, &refused);
        let ended = async { Err(Stop::Failed(refused(session.end().await))) };
        let shown = first(async { Err(stops.next().await) }, first(show, ended)).await;
        session.close().await;
        outcome(shown)
    }
}

fn refused(error: AmqpError, queue: &ShortString, vhost: &str) -> Failure {
    error.failure().context(format!("peek at {queue} in vhost {vhost}"))
}

/// Puts back what `channel` holds, and waits a moment until `queue` has that many messages.
async fn put_back(session: Session, channel: Channel, queue: &ShortString, count: u32) {
    let by_closing = session
        .server()
        .is_some_and(|server| server.is_rabbitmq_from(3, 0) && !server.is_rabbitmq_from(4, 3));
    let put_back = async {
        if by_closing {
            return session.asker().close(&channel).await.is_ok();
        }
        // Tag 0 with multiple means all of them (AMQP 0-9-1, basic.nack).
        let all = BasicNackOptions { multiple: true, requeue: true };
        session.answer(channel.basic_nack(0, all)).await.is_ok()
    };
    // If this fails, the broker puts them back by itself when the connection ends.
    if runtime::timeout(LETTING_GO, put_back).await != Some(true) {
        session.cut();
        return;
    }
    let looking = match by_closing {
        true if count > 0 => session.channel().await.ok(),
        by_closing => Some(channel).filter(|_| !by_closing && count > 0),
    };
    if let Some(channel) = looking {
        Subscription::on(&session, channel, queue.clone()).wait_ready(count).await;
    }
    session.close().await;
}

fn outcome(shown: Result<(), Stop>) -> Result<Ending, Failure> {
    match shown {
        Ok(()) | Err(Stop::ReaderGone | Stop::TimeUp) => Ok(Exit::Ok.into()),
        Err(Stop::Signal(signal)) => Ok(Ending::Signal(signal)),
        Err(Stop::Failed(failure)) => Err(failure),
        Err(_) => Ok(Exit::Ok.into()),
    }
}
