//! A connection that publishes: the session and its channel, handled as one.

use crate::broker::publisher::{Answers, Publisher};
use crate::record::item::Route;
use futures_util::future::join;
use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel};
use lapin::{Event, ExchangeKind};
use rmq_common::amqp_error::{AmqpError, Missing};
use rmq_common::message::Name;
use rmq_common::session::{Session, close_now};
use rmq_common::{random, runtime};
use std::future::Future;
use std::time::{Duration, Instant};

/// How long the check of a queue or an exchange may take. A queue without a quorum does not answer;
/// messages sent to it then wait for their confirms like any others.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// How long to ask whether a queue is empty. The answer only improves a message of ours.
const COUNT_TIMEOUT: Duration = Duration::from_millis(500);

/// How long the broker may take to confirm an unroutable message.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// A session and its publisher.
pub struct Link {
    session: Session,
    publisher: Publisher,
    mandatory: bool,
    /// What checking the first route found while the channel was opened.
    checked: Option<Result<(), AmqpError>>,
}

/// The result of checking a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    There,
    /// It does not, or the answer is unknown.
    Missing,
    /// It cannot be reached now, for this reason.
    Down(String),
}

/// What happened on a link.
#[derive(Debug)]
pub enum News {
    /// The broker answered what was published.
    Answers(Answers),
    /// The broker blocks the connection, for this reason.
    Blocked(String),
    /// The broker no longer blocks the connection.
    Unblocked,
    /// The connection is gone.
    Lost(AmqpError),
}

impl Link {
    /// Opens a channel on `session` to publish on, until `by`. With `mandatory`, unroutable
    /// messages are returned. Asks for `first` meanwhile, for [`check_first`](Self::check_first).
    pub async fn open(
        session: Session,
        mandatory: bool,
        first: Option<&Route>,
        by: Option<Instant>,
    ) -> Result<Self, AmqpError> {
        let opened = async {
            let opened = open(&session, mandatory);
            let Some(route) = first.filter(|_| !session.has_one_channel()) else {
                return Ok((opened.await?, None));
            };
            let (publisher, checked) = join(opened, check(own_channel(&session, route))).await;
            Ok((publisher?, Some(checked)))
        };
        match runtime::first(opened, too_late(by)).await {
            Ok((publisher, checked)) => Ok(Link { session, publisher, mandatory, checked }),
            Err(error) => {
                session.cut();
                Err(error)
            }
        }
    }

    /// Replaces a channel on which nothing is awaited with a new one. Gives up at `by`, because a
    /// blocked connection does not even send the request.
    pub async fn renew(&mut self, by: Option<Instant>) -> Result<(), AmqpError> {
        if self.session.has_one_channel() {
            let asker = self.session.asker();
            runtime::first(asker.close(self.publisher.channel()), too_late(by)).await?;
        }
        let opened = runtime::first(open(&self.session, self.mandatory), too_late(by)).await;
        self.publisher = opened?;
        Ok(())
    }

    /// Checks whether the first hop of a route, the queue or the exchange, exists. Publishing to a
    /// missing exchange would close the channel without saying which message was the cause. Only a
    /// clear no counts: a queue that cannot answer just now may still take messages. (From RabbitMQ
    /// 4.3 a passive declare needs some permission; a refusal says nothing here.)
    ///
    /// # Errors
    /// It does not exist, or the connection is lost.
    pub async fn check(&self, route: &Route) -> Result<(), AmqpError> {
        check(self.ask_for(route)).await
    }

    /// The result for the route that [`open`](Self::open) was given, once.
    ///
    /// # Errors
    /// As of [`check`](Self::check).
    pub async fn check_first(&mut self, route: &Route) -> Result<(), AmqpError> {
        match self.checked.take() {
            Some(checked) => checked,
            None => self.check(route).await,
        }
    }

    /// Whether a queue that a message was returned from is really missing. RabbitMQ has no route to
    /// a classic queue whose node is down, but the queue comes back with its node.
    pub async fn has_lost(&self, queue: &Route) -> Found {
        match runtime::timeout(CHECK_TIMEOUT, self.ask_for(queue)).await {
            Some(Ok(_)) => Found::There,
            Some(Err(AmqpError::Lost(lost))) => Found::Down(lost.to_string()),
            Some(Err(_)) => Found::Missing,
            // RabbitMQ 4.3 waits a minute for the node that is down.
            None => Found::Down("it does not answer".to_owned()),
        }
    }

    /// Whether a queue reports no messages ready for delivery; false if that is unknown.
    pub async fn is_empty(&self, queue: &Route) -> bool {
        if self.session.has_one_channel() {
            return false;
        }
        let asked = runtime::timeout(COUNT_TIMEOUT, self.ask_for(queue)).await;
        matches!(asked, Some(Ok(Some(0))))
    }

    /// Whether the broker answers any message at all. Publishes one to a queue that does not exist,
    /// which the broker confirms and drops. A refusal of permission is an answer as well.
    pub async fn takes_messages(&self) -> bool {
        if self.session.has_one_channel() {
            return true;
        }
        let probe = async {
            let channel = self.session.channel().await?;
            self.session.answer(channel.confirm_select(ConfirmSelectOptions::default())).await?;
            let name = format!("rmq-send.probe.{}", random::id().unwrap_or_default());
            let nowhere = ShortString::try_new(name).unwrap_or_default();
            let (exchange, options) = (ShortString::default(), BasicPublishOptions::default());
            let properties = BasicProperties::default();
            let sent = channel.basic_publish(exchange, nowhere, options, b"", properties).await;
            let confirm = sent.map_err(|error| AmqpError::from(&error))?;
            confirm.await.map_err(|error| AmqpError::from(&error))?;
            close_now(&channel);
            Ok(())
        };
        let probed = runtime::timeout(PROBE_TIMEOUT, probe).await;
        matches!(probed, Some(Ok(()) | Err(AmqpError::Refused(_))))
    }

    /// Asks for the first hop of a route: for a queue, how many messages are ready, if known.
    async fn ask_for(&self, route: &Route) -> Result<Option<u32>, AmqpError> {
        if !self.session.has_one_channel() {
            return own_channel(&self.session, route).await;
        }
        // If messages are in flight, a refusal on their channel would lose them with it.
        if self.publisher.is_idle() { ask(self.publisher.channel(), route).await } else { Ok(None) }
    }

    pub fn publisher(&mut self) -> &mut Publisher {
        &mut self.publisher
    }

    /// The largest frame in bytes.
    pub fn frame_max(&self) -> u32 {
        self.session.frame_max()
    }

    /// The host at the other end.
    pub fn host(&self) -> &str {
        self.session.host()
    }

    /// Waits for the next event.
    pub async fn news(&mut self) -> News {
        let Link { session, publisher, .. } = self;
        let events = async {
            loop {
                match session.event().await {
                    Event::ConnectionBlocked(reason) => return News::Blocked(reason),
                    Event::ConnectionUnblocked => return News::Unblocked,
                    Event::Error(error) => return News::Lost(AmqpError::from(&error)),
                    _ => {}
                }
            }
        };
        let answers = async { News::Answers(publisher.answers().await) };
        // Answers first: a connection that ends may have confirmed many messages just before.
        runtime::first(answers, events).await
    }

    /// As [`Session::explained`].
    pub async fn explained(&self, error: AmqpError) -> AmqpError {
        self.session.explained(error).await
    }

    /// Closes the connection once everything is settled.
    pub async fn close(self) {
        self.session.close().await;
    }

    /// Drops a lost connection without closing it.
    pub fn cut(self) {
        self.session.cut();
    }
}

/// A name as lapin represents it. RabbitMQ (3.10 to 4.3) declares nothing under a name that is not
/// UTF-8, so no queue or exchange has one.
fn lapins(name: &Name, what: Missing) -> Result<ShortString, AmqpError> {
    let name = name.text().and_then(|text| ShortString::try_new(text).ok());
    name.ok_or_else(|| AmqpError::missing(what))
}

/// What the answer to a check of a route means. No answer means nothing.
async fn check(
    asked: impl Future<Output = Result<Option<u32>, AmqpError>>,
) -> Result<(), AmqpError> {
    match runtime::timeout(CHECK_TIMEOUT, asked).await {
        Some(Err(error @ AmqpError::Refused(_))) if !error.is_not_found() => Ok(()),
        Some(checked) => checked.map(drop),
        None => Ok(()),
    }
}

/// Asks on a separate channel, which a refusal closes.
async fn own_channel(session: &Session, route: &Route) -> Result<Option<u32>, AmqpError> {
    let channel = session.channel().await?;
    let count = ask(&channel, route).await?;
    // Many exchanges may be checked. Nothing depends on the answer or waits for it.
    close_now(&channel);
    Ok(count)
}

async fn ask(channel: &Channel, route: &Route) -> Result<Option<u32>, AmqpError> {
    let asked = if route.is_to_queue() {
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let (queue, table) = (lapins(&route.routing_key, Missing::Queue)?, FieldTable::default());
        let declared = channel.queue_declare(queue, options, table).await;
        declared.map(|queue| Some(queue.message_count()))
    } else {
        let options = ExchangeDeclareOptions { passive: true, ..Default::default() };
        let (exchange, kind) =
            (lapins(&route.exchange, Missing::Exchange)?, ExchangeKind::default());
        let declared = channel.exchange_declare(exchange, kind, options, FieldTable::default());
        declared.await.map(|()| None)
    };
    asked.map_err(|error| AmqpError::from(&error))
}

async fn open(session: &Session, mandatory: bool) -> Result<Publisher, AmqpError> {
    match Publisher::open(session, mandatory).await {
        Err(error) => Err(session.explained(error).await),
        opened => opened,
    }
}

async fn too_late<T>(by: Option<Instant>) -> Result<T, AmqpError> {
    runtime::sleep_until(by).await;
    Err(AmqpError::unanswered())
}
