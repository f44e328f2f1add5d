//! What the queue says of itself.

use super::Subscription;
use rmq_common::amqp_error::AmqpError;
use rmq_common::runtime;
use std::time::{Duration, Instant};

/// How long what was given back may take to be ready again.
const BACK: Duration = Duration::from_secs(1);
const STANDS_STILL: Duration = Duration::from_millis(250);
const AGAIN: Duration = Duration::from_millis(10);

/// What a query of the queue shows.
#[derive(Clone, Copy, Debug)]
pub struct QueueState {
    /// Messages ready for delivery.
    pub ready: u32,
    /// Consumers, ours among them.
    pub consumers: u32,
}

impl Subscription {
    /// Queries the queue by a passive declaration, which changes nothing. On this very channel: a user
    /// may be allowed no second one, and the refusal that would close it ends everything anyway.
    ///
    /// # Errors
    /// No such queue, which closes the channel; or the connection is lost.
    pub async fn query(&self) -> Result<QueueState, AmqpError> {
        let declared = self.asker.queue(&self.channel, &self.queue).await?;
        Ok(QueueState { ready: declared.message_count(), consumers: declared.consumer_count() })
    }

    /// Waits a moment until the queue has the `count` messages that were given back: a quorum queue
    /// takes them some time after it was told, and whoever asks then should find them. Others may
    /// take them at once, so a number that stands still is as good. The number of consumers tells
    /// nothing: ours may be counted still.
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
