//! A second consumer on the channel: to take over from the first, or to show what a queue delivers.

use super::{Next, Own, Sample, Subscription};
use crate::delivery::message::Arrived;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use rmq_common::amqp_error::AmqpError;
use std::time::Duration;

impl Subscription {
    /// Registers a consumer with this prefetch and priority beside the current one;
    /// [`take_over`](Self::take_over) replaces the current one with it.
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

    /// The prefetch of the consumer that is to take over, if there is one.
    pub fn prepared(&self) -> Option<u16> {
        self.next.as_ref().map(|next| next.prefetch)
    }

    /// Waits up to `limit` until the next consumer has a message, or has been cancelled: then true.
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

    /// Cancels the current consumer, and continues with the prepared one. Messages that the first
    /// was given still come, in order. Returns the last tag of those, if there are any.
    pub async fn take_over(&mut self) -> Result<Option<u64>, AmqpError> {
        self.cancel_own().await?;
        // Since the broker has answered, everything for the cancelled one has arrived.
        self.note_all()?;
        let Some(Next { consumer, tag, has_ended, .. }) = self.next.take() else { return Ok(None) };
        let ended = has_ended.then_some(true);
        let old = self.own.replace(Own { consumer, tag, is_cancelled: false, ended });
        let is_of_old = |it: &&Arrived| old.as_ref().is_some_and(|old| it.is_to(&old.tag));
        Ok(self.here.iter().rfind(is_of_old).map(|message| message.tag))
    }

    /// Cancels the prepared consumer. Its messages come in order. Returns whether it has any.
    pub async fn withdraw(&mut self) -> Result<bool, AmqpError> {
        let Some(next) = &self.next else { return Ok(false) };
        let tag = next.tag.clone();
        self.cancel_consumer(tag.clone()).await?;
        self.note_all()?;
        self.next = None;
        Ok(self.here.iter().any(|message| message.is_to(&tag)))
    }

    /// What one more consumer with these arguments is given first, within `limit` of its start. It
    /// stays unacknowledged on this channel.
    ///
    /// # Errors
    /// There is no permission, or the connection is lost.
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
