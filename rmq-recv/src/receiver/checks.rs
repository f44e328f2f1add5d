//! Checks of the queue: whether it is drained, has forgotten our consumer, or still exists.

use crate::queue::offset::{Offset, is_at_end};
use crate::queue::subscription::Subscription;
use crate::queue::subscription::state::QueueState;
use crate::receiver::connected::{Break, Connected};
use crate::receiver::lasting::Receiver;
use crate::receiver::leader::News;
use crate::receiver::prefetch_change::Woken;
use crate::receiver::quiet::Seen;
use crate::stops::Stop;
use rmq_common::count::counted;
use rmq_common::runtime;
use std::time::{Duration, Instant};

/// How long a stream may take to give its last block.
const LAST_BLOCK_WITHIN: Duration = Duration::from_millis(500);
/// The pause before a consumer that the broker has cancelled is registered again.
const AFTER_CANCEL: Duration = Duration::from_millis(500);

impl Connected<'_> {
    /// The broker has cancelled the consumer: the queue is gone, or has moved, or what we hold was
    /// not acknowledged within its timeout (RabbitMQ 4.3).
    pub(super) async fn after_cancel_by_broker(&mut self) -> Result<(), Break> {
        self.query().await?;
        let held = self.receiver.hand.open_count();
        let diagnostics = self.receiver.diagnostics;
        if held == 0 {
            diagnostics.notice("the broker cancelled the consumer; consuming again");
        } else {
            diagnostics.notice(&format!(
                "the broker cancelled the consumer, which held {} without acknowledgement (a delivery \
                 timeout?); consuming again once standard output has been read",
                counted(held, "message")
            ));
        }
        // What we hold is back in the queue, or will be when the channel is closed: RabbitMQ 4.3
        // ignores acknowledgements that come after the timeout. It also continues to deliver to the
        // consumer that it has cancelled, once that has room again; the lane drops these
        // deliveries.
        self.change_channel().await?;
        runtime::sleep(AFTER_CANCEL).await;
        // What is in the pipe must not be written a second time before it has been read.
        self.receiver.sink.emptied().await.map_err(Break::Stop)
    }

    pub(super) async fn check_drained(&mut self) -> Result<(), Break> {
        let state = self.query().await?;
        let news = self.leader.shows(Instant::now(), state.consumers);
        self.report_leader(news);
        let Receiver { hand, sink, diagnostics, .. } = &*self.receiver;
        let holds = !hand.is_empty();
        let filter_holds = holds && sink.downstream().is_some();
        match self.quiet.saw(state, self.is_stream, holds, filter_holds) {
            Seen::More => {}
            Seen::NoneForUs => diagnostics.notice(&format!(
                "{} has {}, but this consumer is given none (another is the active one?); waiting",
                self.receiver.name(),
                counted(state.ready.into(), "message")
            )),
            Seen::Stream => self.check_end_of_stream(state.ready).await?,
            Seen::Empty { channel_is_suspect } => {
                // Seen of RabbitMQ 3.10: a channel opened while there was no leader may have been
                // given what never came here. With the channel gone that is back.
                if channel_is_suspect {
                    if holds {
                        // Only what is kept back, which must not come again.
                        self.subscription.cancel().await?;
                        self.acknowledge(u64::MAX)?;
                    }
                    self.consume_on_another_channel().await?;
                }
                self.await_what_is_given().await?;
            }
            Seen::Drained => return Err(Break::Stop(Stop::Drained)),
        }
        Ok(())
    }

    /// A quorum queue answers a query at once, while messages that it has given us may still be on
    /// their way: on a busy node of RabbitMQ 4.0, hundreds of messages arrived long after a query
    /// that had shown none. But it answers the registration and the end of one more consumer after
    /// what it has given before.
    async fn await_what_is_given(&mut self) -> Result<(), Break> {
        if self.subscription.prepared().is_none() {
            self.subscription.prepare(1, -1).await?;
            self.subscription.withdraw().await?;
        }
        self.quiet.checked();
        Ok(())
    }

    /// A stream keeps its messages, reports their number late, and shows no consumers. But a
    /// consumer that begins with its last block shows how far it goes.
    async fn check_end_of_stream(&mut self, count: u32) -> Result<(), Break> {
        let last = Offset::Named("last").argument();
        let given = self.subscription.sample(last, LAST_BLOCK_WITHIN).await?;
        // Another one came meanwhile, perhaps.
        self.quiet.checked();
        let at_end = match &given {
            Some(message) => match message.counts().offset {
                Some(offset) => is_at_end(self.receiver.offset.as_ref(), offset),
                // It is a queue after all, which gave the message to that consumer and not to ours.
                None => return self.consume_on_another_channel().await,
            },
            None => count == 0,
        };
        if self.quiet.saw_end(at_end) { Err(Break::Stop(Stop::Drained)) } else { Ok(()) }
    }

    /// Nothing has come for long. If the queue has messages nevertheless, or the connection was
    /// made while a node died, they may come on another channel.
    pub(super) async fn check_forgotten(&mut self) -> Result<(), Break> {
        let state = self.query().await?;
        let was_missing = self.leader.is_missing();
        let news = self.leader.shows(Instant::now(), state.consumers);
        self.report_leader(news);
        if self.leader.is_missing() && state.ready == 0 {
            self.quiet.idle.without_leader(!was_missing);
            return Ok(());
        }
        let woken = if state.ready > 0 { self.wake().await? } else { Woken::Nothing };
        if matches!(woken, Woken::Ours) {
            self.quiet.idle.over();
        } else if self.quiet.idle.is_forgotten(
            state.ready > 0,
            matches!(woken, Woken::Other) || state.consumers == 0,
            self.receiver.hand.is_empty(),
        ) {
            let text = "no message came for a long time; consuming again on another channel";
            self.receiver.diagnostics.detail(text);
            self.consume_on_another_channel().await?;
        } else if state.ready == 0 && state.consumers > 0 && self.quiet.idle.asks_leader() {
            self.ask_leader().await?;
        }
        Ok(())
    }

    /// One more consumer, for a moment, which a queue without a majority does not answer: that is
    /// reported like any answer that is late. It comes after ours, and may be given a message only if
    /// one more is wanted.
    async fn ask_leader(&mut self) -> Result<(), Break> {
        if self.subscription.prepared().is_none() && self.receiver.hand.wants_one_more() {
            self.subscription.prepare(1, -1).await?;
            self.subscription.withdraw().await?;
        }
        Ok(())
    }

    /// Reports what queries have shown of the queue's leader.
    pub(super) fn report_leader(&self, news: Option<News>) {
        let name = self.receiver.name();
        let text = match news {
            None => return,
            Some(News::Missing) => format!(
                "{name} shows no consumer, it may have no leader, or no majority of its members; \
                 waiting"
            ),
            Some(News::Back) => format!("{name} has a leader again"),
        };
        self.receiver.diagnostics.notice(&text);
    }

    /// A new channel with a consumer in place of this one. With that gone, what was on its way to it
    /// and what is not acknowledged is back in the queue.
    async fn consume_on_another_channel(&mut self) -> Result<(), Break> {
        if !self.receiver.hand.is_empty() || self.has_one_channel() {
            self.change_channel().await?;
            return self.consume().await;
        }
        // The new one first: an auto-delete queue is deleted with its last consumer.
        let fresh = Subscription::open(&self.session, self.receiver.queue.clone()).await?;
        let old = self.begin_channel(fresh);
        self.consume().await?;
        Ok(old.close().await?)
    }

    /// Replaces this channel with a new one without a consumer.
    async fn change_channel(&mut self) -> Result<(), Break> {
        let queue = self.receiver.queue.clone();
        if self.has_one_channel() {
            self.subscription.close().await?;
            let fresh = Subscription::open(&self.session, queue).await?;
            self.begin_channel(fresh);
            return Ok(());
        }
        let fresh = Subscription::open(&self.session, queue).await?;
        Ok(self.begin_channel(fresh).close().await?)
    }

    /// Whether a second channel beside the first is not allowed.
    fn has_one_channel(&self) -> bool {
        self.session.has_one_channel() || self.receiver.earlier.allows_one_channel()
    }

    fn begin_channel(&mut self, fresh: Subscription) -> Subscription {
        self.receiver.hand.begin_channel();
        std::mem::replace(&mut self.subscription, fresh)
    }

    pub(super) async fn query(&self) -> Result<QueueState, Break> {
        Ok(self.subscription.query().await?)
    }
}
