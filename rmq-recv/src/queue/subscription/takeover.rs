//! A second consumer on the channel: one that takes over from the first, or one that shows what a
//! queue gives.

use super::{Next, Own, Sample, Subscription};
use crate::delivery::message::Arrived;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::amqp_error::AmqpError;
use std::time::Duration;

impl Subscription {
    /// Registers a consumer with this prefetch and priority beside the one there is; [`take_over`](Self::take_over)
    /// puts it in its place.
    pub async fn prepare(&mut self, prefetch: u16, priority: i32) -> Result<(), AmqpError> {
        let mut arguments = FieldTable::default();
        if priority != 0 {
            let name = ShortString::try_new("x-priority").unwrap_or_default();
            arguments.insert(name, AMQPValue::LongInt(priority));
        }
        let consumer = self.register(prefetch, arguments).await?;
        let tag = consumer.tag();
        self.next = Some(Next { consumer, tag, prefetch, has_ended: false });
        Ok(())
    }

    /// The prefetch of the consumer that is to take over, where there is one.
    pub fn prepared(&self) -> Option<u16> {
        self.next.as_ref().map(|next| next.prefetch)
    }

    /// Waits at most so long for a message to the consumer that is to take over; whether there is
    /// one, or it was cancelled.
    pub async fn wait_for_next(&mut self, limit: Duration) -> Result<bool, AmqpError> {
        if self.next.is_none() {
            return Ok(true);
        }
        self.wait_until(limit, |it| {
            let Some(next) = &it.next else { return true };
            next.has_ended || it.here.iter().any(|message| message.is_to(&next.tag))
        })
        .await
    }

    /// Cancels the consumer there is, and goes on with the one that was prepared. What the first
    /// was given comes still, in its place; the last tag of that, where there is any.
    pub async fn take_over(&mut self) -> Result<Option<u64>, AmqpError> {
        self.cancel_own().await?;
        // All that the cancelled one will ever have is here, since the broker has answered.
        self.note_all()?;
        let Some(Next { consumer, tag, has_ended, .. }) = self.next.take() else { return Ok(None) };
        let ended = has_ended.then_some(true);
        let old = self.own.replace(Own { consumer, tag, is_cancelled: false, ended });
        let is_of_old = |it: &&Arrived| old.as_ref().is_some_and(|old| it.is_to(&old.tag));
        Ok(self.here.iter().rfind(is_of_old).map(|message| message.tag))
    }

    /// Cancels the consumer that was prepared. What it was given by then comes in its place; whether
    /// that is anything.
    pub async fn withdraw(&mut self) -> Result<bool, AmqpError> {
        let Some(next) = &self.next else { return Ok(false) };
        let tag = next.tag.clone();
        self.cancel_consumer(tag.clone()).await?;
        self.note_all()?;
        self.next = None;
        Ok(self.here.iter().any(|message| message.is_to(&tag)))
    }

    /// What one more consumer is given first, with these arguments, at most so long after it has
    /// begun. It stays unacknowledged on this channel.
    ///
    /// # Errors
    /// No permission, or the connection is lost.
    pub async fn sample(
        &mut self,
        arguments: FieldTable,
        limit: Duration,
    ) -> Result<Option<Arrived>, AmqpError> {
        let consumer = self.register(1, arguments).await?;
        let tag = consumer.tag();
        self.sample = Some(Sample { tag: tag.clone(), given: None });
        let is_given = |it: &Self| it.sample.as_ref().is_none_or(|sample| sample.given.is_some());
        self.wait_until(limit, is_given).await?;
        self.cancel_consumer(tag).await?;
        self.note_all()?;
        Ok(self.sample.take().and_then(|sample| sample.given))
    }
}
