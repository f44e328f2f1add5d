//! A consumer on a channel: deliveries, acknowledgements, and letting go.

use crate::ledger::Acknowledgement;
use crate::message::Message;
use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
    QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Consumer};
use rmq_common::amqp_error::{Trouble, trouble};
use rmq_common::session::{Session, answer};

/// A channel and the consumer on it, if there is one.
pub struct Subscription {
    channel: Channel,
    queue: ShortString,
    consumer: Option<Consumer>,
    /// We have cancelled it; what was on its way still comes.
    cancelled: bool,
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
    /// The channel or the connection is gone.
    Trouble(Trouble),
}

impl Subscription {
    /// Opens a channel on `session`.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn open(session: &Session, queue: ShortString) -> Result<Self, Trouble> {
        let channel = session.channel().await?;
        Ok(Subscription { channel, queue, consumer: None, cancelled: false })
    }

    /// Begins to consume with this prefetch, which holds for new consumers only, and these
    /// arguments.
    ///
    /// # Errors
    /// No such queue, no permission, or the connection is lost.
    pub async fn consume(&mut self, prefetch: u16, arguments: FieldTable) -> Result<(), Trouble> {
        answer(self.channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        let consume = self.channel.basic_consume(
            self.queue.clone(),
            ShortString::default(),
            BasicConsumeOptions::default(),
            arguments,
        );
        self.consumer = Some(answer(consume).await?);
        self.cancelled = false;
        Ok(())
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
        match &mut self.consumer {
            Some(consumer) => {
                let delivered = consumer.next().await;
                self.read(delivered)
            }
            None => std::future::pending().await,
        }
    }

    /// The next message, if it is here already.
    pub fn next_now(&mut self) -> Option<Delivered> {
        let delivered = self.consumer.as_mut()?.next().now_or_never()?;
        Some(self.read(delivered))
    }

    fn read(&mut self, delivered: Option<lapin::Result<Delivery>>) -> Delivered {
        match delivered {
            Some(Ok(delivery)) => Delivered::Message(delivery.into()),
            Some(Err(error)) => Delivered::Trouble(trouble(&error)),
            None => {
                self.consumer = None;
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
        let Acknowledgement { tag, multiple } = *acknowledgement;
        let options = BasicAckOptions { multiple };
        // Handed to lapin here and now; awaiting that it is written would tell no more, since
        // nothing confirms an acknowledgement.
        match self.channel.basic_ack(tag, options).now_or_never() {
            Some(Err(error)) => Err(trouble(&error)),
            _ => Ok(()),
        }
    }

    /// Gives one message up, to the queue's dead-letter exchange.
    ///
    /// # Errors
    /// When the channel is closed.
    pub fn reject(&self, tag: u64) -> Result<(), Trouble> {
        self.refuse(tag, false)
    }

    /// Gives one message back to the queue. Only once the consumer is cancelled.
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

    /// Looks at the queue by a passive declare, which changes nothing.
    ///
    /// # Errors
    /// No such queue, which closes the channel; or the connection is lost.
    pub async fn look(session: &Session, queue: ShortString) -> Result<Look, Trouble> {
        let channel = session.channel().await?;
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let declared = answer(channel.queue_declare(queue, options, FieldTable::default())).await?;
        Ok(Look { ready: declared.message_count(), consumers: declared.consumer_count() })
    }

    /// Closes the channel and waits until the broker has: what is unacknowledged is back then.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn close(self) -> Result<(), Trouble> {
        let text = ShortString::try_new("OK").unwrap_or_default();
        answer(self.channel.close(200, text)).await
    }
}
