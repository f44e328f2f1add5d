//! What the queue reports about itself.

use super::Subscription;
use rmq_common::amqp_error::AmqpError;
use rmq_common::runtime;
use std::time::{Duration, Instant};

/// How long messages that were given back may take to be ready again.
const BACK: Duration = Duration::from_secs(1);
const STANDS_STILL: Duration = Duration::from_millis(250);
const AGAIN: Duration = Duration::from_millis(10);

/// The result of querying the queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueState {
    /// Messages ready for delivery.
    pub ready: u32,
    /// Consumers, including ours.
    pub consumers: u32,
}

impl Subscription {
    /// Queries the queue by a passive declaration, which changes nothing. It uses this channel: a
    /// user may be allowed no second one, and a refusal, which closes it, ends everything anyway.
    ///
    /// # Errors
    /// There is no such queue, which closes the channel; or the connection is lost.
    pub async fn query(&self) -> Result<QueueState, AmqpError> {
        let declared = self.asker.queue(&self.channel, &self.queue).await?;
        Ok(QueueState { ready: declared.message_count(), consumers: declared.consumer_count() })
    }

    /// Waits a moment until the queue has the `count` messages that were given back: a quorum queue
    /// takes them back with a delay, and a client that asks after this should find them. Other
    /// clients may take them at once, so a number that no longer changes is enough. The number of
    /// consumers says nothing: ours may still be counted.
    pub async fn wait_ready(&self, count: u32) {
        let until = Instant::now() + BACK;
        let (mut ready, mut since) = (None, Instant::now());
        while let Ok(state) = self.query().await {
            let now = Instant::now();
            let stands = ready == Some(state.ready);
            if stands && (state.ready >= count || now > since + STANDS_STILL) || now > until {
                break;
            }
            if !stands {
                (ready, since) = (Some(state.ready), now);
            }
            runtime::sleep(AGAIN).await;
        }
    }
}
