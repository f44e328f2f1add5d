//! Looking at the queue: whether it is drained, whether it has forgotten us, whether it is there.

use crate::connected::{Break, Connected};
use crate::stops::Stop;
use crate::subscription::{Look, Subscription};
use rmq_common::runtime;
use std::time::{Duration, Instant};

/// With `--drain`: how often it is looked at where it has messages and we are given none.
const QUIET_AT_MOST: Duration = Duration::from_millis(500);
/// The pause before a consumer that the broker has cancelled is made again.
const AFTER_CANCEL: Duration = Duration::from_millis(500);

impl Connected<'_> {
    /// The broker has cancelled the consumer: the queue is gone, or has moved, or what we hold was
    /// not acknowledged for longer than it waits (RabbitMQ 4.3).
    pub(crate) async fn after_cancel_by_broker(&mut self) -> Result<(), Break> {
        self.look().await?;
        let held = self.ledger.len() - self.ledger.done();
        let diagnostics = self.receiver.diagnostics;
        if held == 0 {
            diagnostics.notice("the broker cancelled the consumer; consuming again");
        } else {
            diagnostics.notice(&format!(
                "the broker cancelled the consumer, which holds {held} messages that were not \
                 taken (its delivery time-out?); consuming again once standard output has room"
            ));
        }
        // What we hold is back in the queue, or is with the channel gone: RabbitMQ 4.3 ignores
        // acknowledgements of what has timed out. And it goes on delivering to the consumer that
        // it has cancelled, once that has room again, which lapin drops.
        self.change_channel().await?;
        runtime::sleep(AFTER_CANCEL).await;
        // What is in the pipe must not be written a second time before somebody has read it.
        self.receiver.emptied().await.map_err(Break::Stop)?;
        self.receiver.credit.reconnected();
        Ok(())
    }

    pub(crate) async fn look_whether_drained(&mut self) -> Result<(), Break> {
        let look = self.look().await?;
        // A quorum queue that has no leader just now answers 0 and 0, though our consumer is on
        // it: that is no answer.
        if look.ready == 0 && look.consumers > 0 {
            if self.seen_empty {
                return Err(Break::Stop(Stop::Drained));
            }
            self.releasing = true;
            self.subscription.cancel().await?;
        } else {
            self.quiet_since = Instant::now();
            self.quiet = (self.quiet * 2).min(QUIET_AT_MOST);
        }
        Ok(())
    }

    /// Nothing has come for long. If the queue has messages all the same, or the connection is one
    /// that was made while a node died, another channel may be given them.
    pub(crate) async fn look_whether_forgotten(&mut self) -> Result<(), Break> {
        let look = self.look().await?;
        if self.idle.is_forgotten(look.ready > 0, self.ledger.is_empty()) {
            let text = "nothing came for long; consuming again on another channel";
            self.receiver.diagnostics.detail(text);
            self.change_channel().await?;
            self.receiver.credit.reconnected();
            self.consume().await?;
        }
        Ok(())
    }

    /// A new channel in place of this one. With that gone, what was on its way to it and what is
    /// not acknowledged is back in the queue.
    pub(crate) async fn change_channel(&mut self) -> Result<(), Break> {
        let fresh = Subscription::open(&self.session, self.receiver.queue.clone()).await?;
        self.ledger.clear();
        self.held.clear();
        self.receiver.channel += 1;
        Ok(std::mem::replace(&mut self.subscription, fresh).close().await?)
    }

    async fn look(&self) -> Result<Look, Break> {
        Ok(Subscription::look(&self.session, self.receiver.queue.clone()).await?)
    }
}
