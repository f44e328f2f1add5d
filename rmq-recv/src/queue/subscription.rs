//! A consumer on a channel: deliveries, acknowledgements, and letting go.

use crate::delivery::message::Arrived;
use futures_util::future::join;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Consumer};
use rmq_common::amqp_error::AmqpError;
use rmq_common::lane::{Event, Lane};
use rmq_common::runtime;
use rmq_common::session::{Asker, Session};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

mod settle;
pub mod state;
mod takeover;

/// A channel and its consumer, if any, and for a while a second one, which is to take over.
pub struct Subscription {
    // Before the channel, which closes when it is dropped.
    lane: Lane,
    channel: Channel,
    asker: Asker,
    queue: ShortString,
    own: Option<Own>,
    next: Option<Next>,
    sample: Option<Sample>,
    /// Messages that have arrived and are not taken, in the order of their tags.
    here: VecDeque<Arrived>,
    /// Consumers that the broker has ended; lapin may not know it, and would cancel them if
    /// dropped.
    old: Vec<Consumer>,
    /// Why nothing more comes.
    over: Option<AmqpError>,
}

/// The current consumer.
struct Own {
    consumer: Consumer,
    tag: ShortString,
    /// We have cancelled it; messages on their way still arrive.
    is_cancelled: bool,
    /// Whether it has ended and, if so, whether the broker ended it.
    ended: Option<bool>,
}

/// The consumer that is to take over.
struct Next {
    consumer: Consumer,
    tag: ShortString,
    prefetch: u16,
    /// The broker has cancelled it.
    has_ended: bool,
}

/// A consumer that shows what it is given first.
struct Sample {
    tag: ShortString,
    given: Option<Arrived>,
}

/// What a subscription delivers.
#[derive(Debug)]
pub enum Delivered {
    Message(Arrived),
    /// No more: the consumer is cancelled, by us or by the broker.
    End {
        /// Whether the broker cancelled it.
        by_broker: bool,
    },
    /// The consumer that is to take over received something, so there is nothing to wait for.
    Early,
    /// The channel or the connection is gone.
    Error(AmqpError),
}

impl Subscription {
    /// Opens a channel on `session`.
    pub async fn open(session: &Session, queue: ShortString) -> Result<Self, AmqpError> {
        Ok(Subscription::on(session, session.channel().await?, queue))
    }

    /// Continues with this channel of `session`.
    pub fn on(session: &Session, channel: Channel, queue: ShortString) -> Self {
        Subscription {
            lane: session.lane(&channel),
            channel,
            asker: session.asker(),
            queue,
            own: None,
            next: None,
            sample: None,
            here: VecDeque::new(),
            old: Vec::new(),
            over: None,
        }
    }

    /// Starts to consume with this prefetch and these arguments.
    ///
    /// # Errors
    /// There is no such queue, no permission, or the connection is lost.
    pub async fn consume(&mut self, prefetch: u16, arguments: FieldTable) -> Result<(), AmqpError> {
        let consumer = self.register(prefetch, arguments).await?;
        let tag = consumer.tag();
        self.own = Some(Own { consumer, tag, is_cancelled: false, ended: None });
        Ok(())
    }

    /// A prefetch applies to consumers that are registered after it.
    async fn register(&self, prefetch: u16, arguments: FieldTable) -> Result<Consumer, AmqpError> {
        self.lane.asks_for(usize::from(prefetch));
        let qos = self.asker.answer(self.channel.basic_qos(prefetch, BasicQosOptions::default()));
        let consume = self.asker.answer(self.channel.basic_consume(
            self.queue.clone(),
            ShortString::default(),
            BasicConsumeOptions::default(),
            arguments,
        ));
        // One round trip for both. They are sent in this order, because each is sent when first
        // polled.
        let (prefetch_set, consumer) = join(qos, consume).await;
        prefetch_set.and(consumer)
    }

    async fn cancel_consumer(&self, tag: ShortString) -> Result<(), AmqpError> {
        self.asker.answer(self.channel.basic_cancel(tag, BasicCancelOptions::default())).await
    }

    /// Waits up to `limit` for a message. Returns whether there is one, or none will come.
    pub async fn has_message(&mut self, limit: Duration) -> Result<bool, AmqpError> {
        self.wait_until(limit, |it| {
            !it.here.is_empty() || it.own.as_ref().is_none_or(|own| own.ended.is_some())
        })
        .await
    }

    /// Waits up to a limit for a condition. Returns whether it holds.
    async fn wait_until(
        &mut self,
        limit: Duration,
        is_so: impl Fn(&Self) -> bool,
    ) -> Result<bool, AmqpError> {
        let wait = poll_fn(|context| {
            loop {
                if is_so(self) {
                    return Poll::Ready(Ok(true));
                }
                if let Some(error) = &self.over {
                    return Poll::Ready(Err(error.clone()));
                }
                match self.lane.poll_next(context) {
                    Poll::Ready(event) => self.note(event),
                    Poll::Pending => return Poll::Pending,
                }
            }
        });
        runtime::timeout(limit, wait).await.unwrap_or(Ok(false))
    }

    /// How many of our consumers the queue has.
    pub fn consumers(&self) -> u32 {
        u32::from(self.is_consuming()) + u32::from(self.next.is_some())
    }

    /// How many messages have arrived that [`next`](Self::next) has not returned.
    pub fn waiting(&self) -> usize {
        self.lane.waiting()
    }

    /// Whether there is a consumer that may receive more.
    pub fn is_consuming(&self) -> bool {
        self.own.as_ref().is_some_and(|own| !own.is_cancelled)
    }

    /// Whether there is a consumer, even if it is cancelled and its last messages are on their way.
    pub fn has_consumer(&self) -> bool {
        self.own.is_some()
    }

    /// Waits for the next message. Pending forever if there is no consumer.
    pub async fn next(&mut self) -> Delivered {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Delivered> {
        loop {
            if let Some(delivered) = self.take() {
                return Poll::Ready(delivered);
            }
            match self.lane.poll_next(context) {
                Poll::Ready(event) => self.note(event),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// The next message, if it has arrived already.
    pub fn next_now(&mut self) -> Option<Delivered> {
        loop {
            let taken = self.take();
            if taken.is_some() {
                return taken;
            }
            let event = self.lane.next_now()?;
            self.note(event);
        }
    }

    /// The next of the noted messages or events.
    fn take(&mut self) -> Option<Delivered> {
        if let Some(next) = &self.next
            && (next.has_ended || self.here.front().is_some_and(|first| first.is_to(&next.tag)))
        {
            return Some(Delivered::Early);
        }
        if let Some(message) = self.here.pop_front() {
            return Some(Delivered::Message(message));
        }
        if let Some(error) = &self.over {
            return Some(Delivered::Error(error.clone()));
        }
        let by_broker = self.own.as_ref()?.ended?;
        self.old.extend(self.own.take().map(|own| own.consumer));
        Some(Delivered::End { by_broker })
    }

    /// Notes an event. Messages to other consumers are not ours: a stream delivers too many.
    fn note(&mut self, event: Event) {
        match event {
            Event::Delivered { tag, redelivered, content } => {
                let message = Arrived { tag, redelivered, content };
                if self.own.as_ref().is_some_and(|own| message.is_to(&own.tag))
                    || self.next.as_ref().is_some_and(|next| message.is_to(&next.tag))
                {
                    self.here.push_back(message);
                } else if let Some(sample) = &mut self.sample
                    && message.is_to(&sample.tag)
                {
                    sample.given.get_or_insert(message);
                }
            }
            Event::Cancelled { consumer, by_broker } => {
                let is_it = |tag: &ShortString| tag.as_str().as_bytes() == consumer;
                if let Some(own) = self.own.as_mut().filter(|own| is_it(&own.tag)) {
                    own.ended = Some(by_broker);
                } else if let Some(next) = self.next.as_mut().filter(|next| is_it(&next.tag)) {
                    next.has_ended = true;
                }
            }
            Event::Closed { code, text } => self.over = Some(AmqpError::closed(code, &text)),
            Event::Ended => {
                self.over.get_or_insert_with(AmqpError::unexplained);
            }
            // Nothing is published or fetched on this channel.
            Event::Ack { .. } | Event::Nack { .. } | Event::Returned { .. } | Event::Empty => {}
        }
    }

    /// Notes all that has arrived.
    fn note_all(&mut self) -> Result<(), AmqpError> {
        while let Some(event) = self.lane.next_now() {
            self.note(event);
        }
        self.over.clone().map_or(Ok(()), Err)
    }

    /// Asks for no more, and waits until the broker has answered. Messages that were on their way
    /// still come from [`next`](Self::next).
    pub async fn cancel(&mut self) -> Result<(), AmqpError> {
        // First the one with which the broker would continue.
        self.withdraw().await?;
        self.cancel_own().await
    }

    async fn cancel_own(&mut self) -> Result<(), AmqpError> {
        let Some(own) = self.own.as_mut().filter(|own| !own.is_cancelled) else {
            return Ok(());
        };
        own.is_cancelled = true;
        let tag = own.tag.clone();
        self.cancel_consumer(tag).await
    }
}
