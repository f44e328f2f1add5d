//! Publishing on one channel, and what the broker answers.
//!
//! Messages travel on the channel's lane, and so do the answers, in the broker's order.

use crate::broker::awaited::Awaited;
use crate::record::item::{Message, Route};
use lapin::Channel;
use lapin::options::ConfirmSelectOptions;
use rmq_common::amqp_error::AmqpError;
use rmq_common::lane::{Content, Event, Head, Lane};
use rmq_common::message::Properties;
use rmq_common::session::Session;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

/// While more bytes than this wait for the socket, nothing is published.
const MOST_UNSENT: usize = 1 << 20;
/// The most events taken together.
const MOST_ANSWERS: usize = 16 << 10;
/// Bytes handed to the socket at once.
const TOGETHER: usize = 256 << 10;

/// A channel in confirm mode, and the confirms awaited on it.
pub struct Publisher {
    // Before the channel, which closes when it is dropped.
    lane: Lane,
    channel: Channel,
    mandatory: bool,
    /// The header of the last message, which the next one may share.
    head: Option<Cached>,
    awaited: Awaited,
    /// Whether too much was waiting to be written at the last check.
    is_full: bool,
    /// An event kept for the next turn.
    next: Option<Event>,
}

struct Cached {
    route: Arc<Route>,
    properties: Arc<Properties>,
    head: Head,
}

/// What the broker has answered.
#[derive(Debug, Default)]
pub struct Answers {
    /// Messages it could not route. To be processed before the confirms.
    pub returned: Vec<Returned>,
    /// Record numbers it has confirmed. A returned message is confirmed, too.
    pub confirmed: Vec<u64>,
    /// Record numbers it did not take.
    pub nacked: Vec<u64>,
    /// The channel or the connection is gone; nothing in flight will be confirmed.
    pub error: Option<AmqpError>,
}

/// A message that no queue took.
#[derive(Debug)]
pub struct Returned {
    /// The broker's words.
    pub reason: String,
    /// The message.
    pub content: Content,
}

impl Publisher {
    /// Opens a channel in confirm mode. With `mandatory`, unroutable messages are returned.
    pub async fn open(session: &Session, mandatory: bool) -> Result<Self, AmqpError> {
        let channel = session.channel().await?;
        session.answer(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(Publisher {
            lane: session.lane(&channel),
            channel,
            mandatory,
            head: None,
            awaited: Awaited::default(),
            is_full: false,
            next: None,
        })
    }

    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Whether nothing is awaited on it.
    pub fn is_idle(&self) -> bool {
        self.awaited.is_empty() && self.next.is_none()
    }

    /// Buffers the record `number`, which [`send`](Self::send) publishes;
    /// [`answers`](Self::answers) says what becomes of it.
    pub fn publish(&mut self, number: u64, message: &Message) {
        let Message { route, properties, body } = message;
        let is_cached = self.head.as_ref().is_some_and(|cached| {
            Arc::ptr_eq(&cached.route, route) && Arc::ptr_eq(&cached.properties, properties)
        });
        if !is_cached {
            let mandatory = self.mandatory && !route.is_to_requester();
            let Route { exchange, routing_key } = &**route;
            let channel = self.lane.channel();
            let head = Head::new(channel, exchange, routing_key, mandatory, properties);
            let (route, properties) = (route.clone(), properties.clone());
            self.head = Some(Cached { route, properties, head });
        }
        let Some(Cached { head, .. }) = &self.head else { return };
        self.lane.publish(head, body);
        self.awaited.push(number);
        if self.lane.put() >= TOGETHER {
            self.send();
        }
    }

    /// Publishes what was buffered.
    pub fn send(&mut self) {
        if self.lane.put() > 0 {
            // If the channel is closed, an event says so before any confirm.
            self.is_full = self.lane.send().is_ok_and(|unsent| unsent > MOST_UNSENT);
        }
    }

    /// Whether too much waits to be written. [`answers`](Self::answers) returns when less does.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Waits until the broker has answered something, or there is room again.
    pub async fn answers(&mut self) -> Answers {
        let mut answers = Answers::default();
        let Some(mut event) = poll_fn(|context| self.poll_first(context)).await else {
            return answers;
        };
        for _ in 0..MOST_ANSWERS {
            // A returned message belongs to the answer after it: earlier answers are handled first.
            let answered = !(answers.confirmed.is_empty() && answers.nacked.is_empty());
            if matches!(event, Event::Returned { .. }) && answered {
                self.next = Some(event);
                return answers;
            }
            self.take(event, &mut answers);
            if answers.error.is_some() {
                return answers;
            }
            match self.lane.next_now() {
                Some(next) => event = next,
                None => return answers,
            }
        }
        self.next = Some(event);
        answers
    }

    /// The next event, or nothing if there is room again.
    fn poll_first(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        if let Some(event) = self.next.take() {
            return Poll::Ready(Some(event));
        }
        if let Poll::Ready(event) = self.lane.poll_next(context) {
            return Poll::Ready(Some(event));
        }
        if self.is_full && self.lane.unsent() <= MOST_UNSENT / 2 {
            self.is_full = false;
            return Poll::Ready(None);
        }
        Poll::Pending
    }

    fn take(&mut self, event: Event, answers: &mut Answers) {
        let settled = match event {
            Event::Ack { tag, multiple } => {
                self.awaited.settle(tag, multiple, &mut answers.confirmed)
            }
            Event::Nack { tag, multiple } => {
                self.awaited.settle(tag, multiple, &mut answers.nacked)
            }
            Event::Returned { reason, content } => {
                answers.returned.push(Returned { reason, content });
                Ok(())
            }
            Event::Closed { code, text } => Err(AmqpError::closed(code, &text)),
            Event::Ended => Err(AmqpError::unexplained()),
            // Nothing on this channel consumes or asks.
            Event::Delivered { .. } | Event::Empty | Event::Cancelled { .. } => Ok(()),
        };
        answers.error = settled.err();
    }
}
