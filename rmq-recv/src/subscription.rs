//! A consumer on a channel: deliveries, acknowledgements, and letting go.

use crate::ledger::Acknowledgement;
use crate::message::Message;
use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
    QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Consumer};
use rmq_common::amqp_error::{Trouble, trouble};
use rmq_common::held::Held;
use rmq_common::runtime;
use rmq_common::session::{Session, answer};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long what was given back may take to be ready again.
const BACK: Duration = Duration::from_secs(1);
const STANDS_STILL: Duration = Duration::from_millis(250);
const AGAIN: Duration = Duration::from_millis(10);

/// A channel and the consumer on it, if there is one, and for a while another one beside it, which
/// is to take over.
pub struct Subscription {
    channel: Channel,
    queue: ShortString,
    consumer: Option<Consumer>,
    /// We have cancelled it; what was on its way still comes.
    cancelled: bool,
    /// The one that is to take over.
    next: Option<Consumer>,
    /// Its prefetch.
    prepared: u16,
    /// The broker has cancelled that one.
    next_ended: bool,
    /// The broker has cancelled the one there is, behind what is here.
    ended: bool,
    /// Messages that are here already, in the order of their tags, before what the consumer gives.
    here: VecDeque<Message>,
    held: Arc<Held>,
}

/// What a look at the queue tells.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Messages ready for delivery.
    pub ready: u32,
    /// Consumers, ours among them.
    pub consumers: u32,
}

/// What a subscription gives.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is moved once; a box would cost more")]
pub enum Delivered {
    /// A message.
    Message(Message),
    /// No more: the consumer is cancelled, by us or by the broker.
    End {
        /// It was the broker.
        by_broker: bool,
    },
    /// The consumer that is to take over was given something: there is nothing to wait for.
    Early,
    /// The channel or the connection is gone.
    Trouble(Trouble),
}

impl Subscription {
    /// Opens a channel on `session`.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn open(session: &Session, queue: ShortString) -> Result<Self, Trouble> {
        Ok(Subscription::on(session, session.channel().await?, queue))
    }

    /// Goes on with this channel of `session`.
    pub fn on(session: &Session, channel: Channel, queue: ShortString) -> Self {
        let held = session.held().clone();
        held.forget();
        Subscription {
            channel,
            queue,
            consumer: None,
            cancelled: false,
            next: None,
            prepared: 0,
            next_ended: false,
            ended: false,
            here: VecDeque::new(),
            held,
        }
    }

    /// Begins to consume with this prefetch and these arguments.
    ///
    /// # Errors
    /// No such queue, no permission, or the connection is lost.
    pub async fn consume(&mut self, prefetch: u16, arguments: FieldTable) -> Result<(), Trouble> {
        self.consumer = Some(self.register(prefetch, arguments).await?);
        (self.cancelled, self.ended) = (false, false);
        Ok(())
    }

    /// Registers a consumer with this prefetch and priority beside the one there is; [`take_over`](Self::take_over)
    /// puts it in its place.
    ///
    /// # Errors
    /// As of [`consume`](Self::consume).
    pub async fn prepare(&mut self, prefetch: u16, priority: i32) -> Result<(), Trouble> {
        let mut arguments = FieldTable::default();
        if priority != 0 {
            let name = ShortString::try_new("x-priority").unwrap_or_default();
            arguments.insert(name, AMQPValue::LongInt(priority));
        }
        self.next = Some(self.register(prefetch, arguments).await?);
        (self.prepared, self.next_ended) = (prefetch, false);
        Ok(())
    }

    /// A prefetch holds for consumers made after it.
    async fn register(&self, prefetch: u16, arguments: FieldTable) -> Result<Consumer, Trouble> {
        self.held.asks_for(usize::from(prefetch));
        answer(self.channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        let consume = self.channel.basic_consume(
            self.queue.clone(),
            ShortString::default(),
            BasicConsumeOptions::default(),
            arguments,
        );
        answer(consume).await
    }

    /// The prefetch of the consumer that is to take over, where there is one.
    pub fn prepared(&self) -> Option<u16> {
        self.next.as_ref().map(|_| self.prepared)
    }

    /// Waits at most so long for a message to the consumer that is to take over; whether there is
    /// one, or it was cancelled.
    ///
    /// # Errors
    /// When the channel is closed.
    pub async fn wait_for_next(&mut self, limit: Duration) -> Result<bool, Trouble> {
        let given = match &mut self.next {
            Some(next) if self.here.is_empty() && !self.next_ended => {
                runtime::timeout(limit, next.next()).await
            }
            _ => return Ok(true),
        };
        match given {
            Some(Some(delivery)) => {
                let delivery = delivery.map_err(|error| trouble(&error))?;
                self.here.push_back(delivery.into());
                Ok(true)
            }
            Some(None) => {
                self.next_ended = true;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Cancels the consumer there is, and goes on with the one that was prepared. What the first
    /// was given comes still, in its place; the last tag of that, where there is any.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn take_over(&mut self) -> Result<Option<u64>, Trouble> {
        self.cancel_own().await?;
        let Some(next) = self.next.take() else { return Ok(None) };
        // All that the cancelled one will ever have is here, since the broker has answered.
        let old = self.consumer.replace(next);
        (self.cancelled, self.ended) = (false, self.next_ended);
        self.gather(old)
    }

    /// Cancels the consumer that was prepared. What it was given by then comes in its place; whether
    /// that is anything.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn withdraw(&mut self) -> Result<bool, Trouble> {
        let Some(next) = &self.next else { return Ok(false) };
        let tag = next.tag();
        answer(self.channel.basic_cancel(tag, BasicCancelOptions::default())).await?;
        let next = self.next.take();
        Ok(self.gather(next)?.is_some())
    }

    /// Takes what `other` and the consumer have been given by now; the last tag of the first.
    fn gather(&mut self, other: Option<Consumer>) -> Result<Option<u64>, Trouble> {
        let mut given: Vec<Message> = Vec::new();
        if let Some(mut other) = other {
            while let Some(Some(delivery)) = other.next().now_or_never() {
                given.push(delivery.map_err(|error| trouble(&error))?.into());
            }
        }
        let last = given.last().map(|message| message.tag);
        if let Some(consumer) = &mut self.consumer {
            while !self.ended
                && let Some(delivery) = consumer.next().now_or_never()
            {
                match delivery {
                    Some(delivery) => given.push(delivery.map_err(|error| trouble(&error))?.into()),
                    None => self.ended = true,
                }
            }
        }
        given.extend(self.here.drain(..));
        given.sort_by_key(|message| message.tag);
        self.here = given.into();
        Ok(last)
    }

    /// What one more consumer is given first, with these arguments, at most so long after it has
    /// begun. It stays unacknowledged on this channel.
    ///
    /// # Errors
    /// No permission, or the connection is lost.
    pub async fn sample(
        &self,
        arguments: FieldTable,
        limit: Duration,
    ) -> Result<Option<Message>, Trouble> {
        let mut consumer = self.register(1, arguments).await?;
        let given = runtime::timeout(limit, consumer.next()).await;
        let options = BasicCancelOptions::default();
        answer(self.channel.basic_cancel(consumer.tag(), options)).await?;
        match given.flatten() {
            Some(delivery) => Ok(Some(delivery.map_err(|error| trouble(&error))?.into())),
            None => Ok(None),
        }
    }

    /// Waits at most so long for a message; whether there is one, or none will come.
    ///
    /// # Errors
    /// When the channel is closed.
    pub async fn has_message(&mut self, limit: Duration) -> Result<bool, Trouble> {
        let Some(consumer) = self.consumer.as_mut().filter(|_| self.here.is_empty()) else {
            return Ok(true);
        };
        match runtime::timeout(limit, consumer.next()).await {
            Some(Some(delivery)) => {
                self.here.push_back(delivery.map_err(|error| trouble(&error))?.into());
                Ok(true)
            }
            Some(None) => {
                self.ended = true;
                Ok(true)
            }
            None => Ok(self.ended),
        }
    }

    /// How many consumers of ours the queue has.
    pub fn consumers(&self) -> u32 {
        u32::from(self.is_consuming()) + u32::from(self.next.is_some())
    }

    /// How many messages the channel has given that [`next`](Self::next) has not.
    pub fn waiting(&self) -> usize {
        self.held.waiting()
    }

    /// Whether there is a consumer that may be given more.
    pub fn is_consuming(&self) -> bool {
        self.consumer.is_some() && !self.cancelled
    }

    /// Whether there is a consumer, if only a cancelled one whose last messages are on their way.
    pub fn has_consumer(&self) -> bool {
        self.consumer.is_some()
    }

    /// Waits for the next message. Pending for ever where there is no consumer.
    pub async fn next(&mut self) -> Delivered {
        // What came to the one that is to take over waits for that.
        if self.next.is_none()
            && let Some(message) = self.here.pop_front()
        {
            self.held.taken(self.channel.id(), message.tag);
            return Delivered::Message(message);
        }
        if self.is_early() {
            return Delivered::Early;
        }
        if self.ended {
            return self.read(None);
        }
        match &mut self.consumer {
            Some(consumer) => {
                let given = async { (true, consumer.next().await) };
                let early = async {
                    match &mut self.next {
                        Some(next) => (false, next.next().await),
                        None => std::future::pending().await,
                    }
                };
                let (own, delivered) = runtime::first(given, early).await;
                if own {
                    return self.read(delivered);
                }
                match delivered {
                    Some(Ok(delivery)) => self.here.push_back(delivery.into()),
                    Some(Err(error)) => return Delivered::Trouble(trouble(&error)),
                    None => self.next_ended = true,
                }
                Delivered::Early
            }
            None => std::future::pending().await,
        }
    }

    /// Whether the consumer that is to take over has been given something.
    fn is_early(&self) -> bool {
        self.next.is_some() && (self.next_ended || !self.here.is_empty())
    }

    /// The next message, if it is here already.
    pub fn next_now(&mut self) -> Option<Delivered> {
        if self.next.is_none()
            && let Some(message) = self.here.pop_front()
        {
            self.held.taken(self.channel.id(), message.tag);
            return Some(Delivered::Message(message));
        }
        if self.ended {
            return Some(self.read(None));
        }
        let delivered = self.consumer.as_mut()?.next().now_or_never()?;
        Some(self.read(delivered))
    }

    fn read(&mut self, delivered: Option<lapin::Result<Delivery>>) -> Delivered {
        match delivered {
            Some(Ok(delivery)) => {
                self.held.taken(self.channel.id(), delivery.delivery_tag);
                Delivered::Message(delivery.into())
            }
            Some(Err(error)) => Delivered::Trouble(trouble(&error)),
            None => {
                self.consumer = None;
                self.ended = false;
                Delivered::End { by_broker: !self.cancelled }
            }
        }
    }

    /// Asks for no more, and waits until the broker has heard it. What was on its way still comes
    /// from [`next`](Self::next).
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn cancel(&mut self) -> Result<(), Trouble> {
        // First the one that the broker would go on with.
        self.withdraw().await?;
        self.cancel_own().await
    }

    async fn cancel_own(&mut self) -> Result<(), Trouble> {
        let Some(consumer) = self.consumer.as_ref().filter(|_| !self.cancelled) else {
            return Ok(());
        };
        let tag = consumer.tag();
        self.cancelled = true;
        answer(self.channel.basic_cancel(tag, BasicCancelOptions::default())).await
    }

    /// Acknowledges a message, or every message up to it.
    ///
    /// # Errors
    /// When the channel is closed.
    pub fn acknowledge(&self, acknowledgement: &Acknowledgement) -> Result<(), Trouble> {
        let Acknowledgement { tag, multiple, reject } = *acknowledgement;
        if reject {
            return self.refuse(tag, false);
        }
        let options = BasicAckOptions { multiple };
        // Handed to lapin here and now; awaiting that it is written would tell no more, since
        // nothing confirms an acknowledgement.
        match self.channel.basic_ack(tag, options).now_or_never() {
            Some(Err(error)) => Err(trouble(&error)),
            _ => Ok(()),
        }
    }

    /// Gives one message back to the queue. To a live consumer it comes again at once.
    ///
    /// # Errors
    /// When the channel is closed.
    pub fn put_back_one(&self, tag: u64) -> Result<(), Trouble> {
        self.refuse(tag, true)
    }

    fn refuse(&self, tag: u64, requeue: bool) -> Result<(), Trouble> {
        let options = BasicNackOptions { multiple: false, requeue };
        match self.channel.basic_nack(tag, options).now_or_never() {
            Some(Err(error)) => Err(trouble(&error)),
            _ => Ok(()),
        }
    }

    /// Gives back everything that is not acknowledged. Only once the consumer is cancelled: what
    /// goes back to a live one comes again at once, and counts as a delivery each time.
    ///
    /// # Errors
    /// When the connection is lost; then the broker gives it back by itself.
    pub async fn put_back(&self) -> Result<(), Trouble> {
        let options = BasicNackOptions { multiple: true, requeue: true };
        // Tag 0 with multiple means all of them (AMQP 0-9-1, basic.nack).
        answer(self.channel.basic_nack(0, options)).await
    }

    /// Looks at the queue by a passive declare, which changes nothing. On this very channel: a user
    /// may be allowed no second one, and the refusal that would close it ends everything anyway.
    ///
    /// # Errors
    /// No such queue, which closes the channel; or the connection is lost.
    pub async fn look(&self) -> Result<Look, Trouble> {
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let declare =
            self.channel.queue_declare(self.queue.clone(), options, FieldTable::default());
        let declared = answer(declare).await?;
        Ok(Look { ready: declared.message_count(), consumers: declared.consumer_count() })
    }

    /// Waits a moment until the queue has the `count` messages that were given back: a quorum queue
    /// takes them some time after it was told, and whoever asks then should find them. Others may
    /// take them at once, so a number that stands still is as good. The number of consumers tells
    /// nothing: ours may be counted still.
    pub async fn wait_ready(&self, count: u32) {
        let until = Instant::now() + BACK;
        let (mut ready, mut since) = (None, Instant::now());
        while let Ok(look) = self.look().await {
            let now = Instant::now();
            let stands = ready == Some(look.ready);
            if stands && (look.ready >= count || now > since + STANDS_STILL) || now > until {
                break;
            }
            if !stands {
                (ready, since) = (Some(look.ready), now);
            }
            runtime::sleep(AGAIN).await;
        }
    }

    /// Closes the channel and waits until the broker has: what is unacknowledged is back then.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn close(&self) -> Result<(), Trouble> {
        let text = ShortString::try_new("OK").unwrap_or_default();
        answer(self.channel.close(200, text)).await
    }
}
