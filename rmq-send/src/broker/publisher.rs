//! Publishing on one channel, and what the broker answers.
//!
//! Messages go by the channel's lane, and so do the answers: in the order in which the broker gives
//! them.

use crate::record::item::{Message, Route};
use lapin::Channel;
use lapin::options::ConfirmSelectOptions;
use rmq_common::amqp_error::AmqpError;
use rmq_common::lane::{Content, Event, Head, Lane};
use rmq_common::message::Properties;
use rmq_common::session::Session;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

/// So many bytes may wait until the socket takes them; more is not published meanwhile.
const MOST_UNSENT: usize = 1 << 20;
/// So many events are taken together at most.
const MOST_ANSWERS: usize = 16 << 10;
/// So many bytes are handed to the socket together.
const TOGETHER: usize = 256 << 10;

/// A channel in confirm mode, and the confirms that are awaited on it.
pub struct Publisher {
    // Before the channel, which closes when it is dropped.
    lane: Lane,
    channel: Channel,
    mandatory: bool,
    /// What the last message began with, which the next one may, too.
    head: Option<Cached>,
    awaited: Awaited,
    /// Too much waited to be written when that was last known.
    is_full: bool,
    /// An event that has to wait for the next turn.
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
    /// Messages it could not route. To be looked at before the confirms.
    pub returned: Vec<Returned>,
    /// Numbers of records it has confirmed. A returned message is confirmed too.
    pub confirmed: Vec<u64>,
    /// Numbers of records it did not take.
    pub nacked: Vec<u64>,
    /// The channel or the connection is gone; nothing in flight will be confirmed any more.
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
    /// Opens a channel in confirm mode. With `mandatory`, what no queue takes is returned.
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

    /// Puts the record `number`, which [`send`](Self::send) publishes; [`answers`](Self::answers)
    /// says what becomes of it.
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
        let (bytes, range) = body.parts();
        self.lane.publish(head, bytes, range);
        self.awaited.push(number);
        if self.lane.put() >= TOGETHER {
            self.send();
        }
    }

    /// Publishes what was put.
    pub fn send(&mut self) {
        if self.lane.put() > 0 {
            // On a channel that is closed an event says so, which comes before any confirm.
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
            // What is returned belongs to what is answered after it, so those before come first.
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

    /// The next event, or nothing where there is room again.
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
            // Nothing consumes or asks here.
            Event::Delivered { .. } | Event::Empty | Event::Cancelled { .. } => Ok(()),
        };
        answers.error = settled.err();
    }
}

/// Numbers of records by their delivery tags: the broker counts the channel's messages from 1.
#[derive(Debug)]
struct Awaited {
    /// The delivery tag of the first of `numbers`.
    first: u64,
    /// Those that are settled already are nothing.
    numbers: VecDeque<Option<u64>>,
}

impl Default for Awaited {
    fn default() -> Self {
        Awaited { first: 1, numbers: VecDeque::new() }
    }
}

impl Awaited {
    fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    fn push(&mut self, number: u64) {
        self.numbers.push_back(Some(number));
    }

    /// The broker has answered about this tag, or about all up to it.
    fn settle(&mut self, tag: u64, multiple: bool, to: &mut Vec<u64>) -> Result<(), AmqpError> {
        let behind = self.first + self.numbers.len() as u64;
        let unknown =
            || Err(AmqpError::unpublished(&format!("confirm {tag} of {} messages", behind - 1)));
        if multiple {
            // 0 stands for all (AMQP 0-9-1, section 1.8.3.13).
            let up_to = if tag == 0 { behind } else { tag.saturating_add(1) };
            if up_to > behind {
                return unknown();
            }
            while self.first < up_to {
                to.extend(self.numbers.pop_front().flatten());
                self.first += 1;
            }
        } else {
            let index = tag.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
            match index.and_then(|index| self.numbers.get_mut(index)).and_then(Option::take) {
                Some(number) => to.push(number),
                None => return unknown(),
            }
        }
        while let Some(None) = self.numbers.front() {
            self.numbers.pop_front();
            self.first += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_was_never_published_or_is_settled_already_is_no_confirm() {
        let mut awaited = Awaited::default();
        let mut settled = Vec::new();
        assert!(awaited.settle(1, false, &mut settled).is_err());
        assert!(awaited.settle(1, true, &mut settled).is_err());
        (10..13).for_each(|number| awaited.push(number));
        assert!(awaited.settle(2, false, &mut settled).is_ok());
        assert!(awaited.settle(2, false, &mut settled).is_err());
        assert!(awaited.settle(4, true, &mut settled).is_err());
        assert!(awaited.settle(u64::MAX, true, &mut settled).is_err());
        assert!(awaited.settle(0, false, &mut settled).is_err());
        assert_eq!(settled, [11]);
        assert!(awaited.settle(0, true, &mut settled).is_ok());
        assert_eq!(settled, [11, 10, 12]);
        assert!(awaited.is_empty());
        assert!(awaited.settle(3, false, &mut settled).is_err());
    }

    proptest! {
        /// A set is the model.
        #[test]
        fn each_is_settled_once_and_only_when_it_was_published(
            steps in prop::collection::vec((0u8..4, 0u64..40), 0..200)
        ) {
            let mut awaited = Awaited::default();
            let mut model = BTreeSet::new();
            let mut published = 0;
            for (step, tag) in steps {
                let mut settled = Vec::new();
                match step {
                    0 | 1 => {
                        published += 1;
                        awaited.push(published);
                        model.insert(published);
                    }
                    2 => {
                        let is_known = model.remove(&tag);
                        let ok = awaited.settle(tag, false, &mut settled).is_ok();
                        prop_assert_eq!(ok, is_known);
                        prop_assert_eq!(settled, if ok { vec![tag] } else { Vec::new() });
                    }
                    _ => {
                        let ok = awaited.settle(tag, true, &mut settled).is_ok();
                        prop_assert_eq!(ok, tag <= published);
                        let upper = if tag == 0 { u64::MAX } else { tag };
                        let expected: Vec<u64> = model.iter().copied().filter(|it| ok && *it <= upper).collect();
                        model.retain(|it| !expected.contains(it));
                        prop_assert_eq!(settled, expected);
                    }
                }
                prop_assert_eq!(awaited.is_empty(), model.is_empty());
            }
        }
    }
}
