//! Changing the prefetch: one more consumer, which takes over from the current one.
//!
//! A prefetch lasts as long as its consumer. The new one is registered before the old one is
//! cancelled, because an auto-delete queue is deleted with its last consumer, with everything in
//! it. That happens when the old one is full, or nothing comes for a moment, to keep the order.
//!
//! A queue with a single active consumer delivers nothing to the new one while the old one exists,
//! and continues with the next in line once the old one is cancelled. That may be another client's,
//! and then the order among receivers would be broken. A classic queue shows how many wait; a
//! quorum queue shows only the active one, which is how it is recognised. If another client may be
//! waiting, the new one is registered with a higher priority, which puts it first. Quorum queues
//! support that from RabbitMQ 4.0 on: before, the old one stays, unless the two were registered
//! close together, and unsent acknowledgements hold off messages that must not come.

use crate::receiver::connected::{Break, Connected};
use std::time::{Duration, Instant};

/// How soon a new consumer receives something if messages wait.
const AT_ONCE: Duration = Duration::from_millis(5);
/// How long that may take on a busy broker.
const GIVEN_WITHIN: Duration = Duration::from_millis(200);
/// How soon after the first one the second must be registered to be assumed next in line.
const NEXT_IN_LINE: Duration = Duration::from_millis(250);
/// From this release on, quorum queues with a single active consumer respect priorities.
const KNOWS_PRIORITIES: u32 = 4;

/// Whether the prepared consumer may take over.
enum Turn {
    Its,
    /// Others may wait, too, and it has to come before them.
    AmongOthers,
    /// Unknown: nothing changes for now.
    Unknown {
        /// Whether another client's consumer may be next to receive what waits.
        waits: bool,
    },
}

impl Connected<'_> {
    /// The next prefetch, if it may be changed now.
    pub(super) fn next_prefetch(&self) -> Option<u16> {
        self.receiver.hand.next_prefetch().filter(|_| !self.takeover.is_kept())
    }

    /// How many of those done may be acknowledged now.
    pub(super) fn may_acknowledge(&self) -> u64 {
        self.receiver.hand.may_acknowledge(self.takeover.is_kept_from_others())
    }

    /// When acknowledgements that are kept back have to be sent.
    pub(super) fn kept_until(&self) -> Option<Instant> {
        self.takeover
            .kept_until()
            .filter(|_| self.may_acknowledge() < self.receiver.hand.done_count())
    }

    /// Acknowledges, even if more large messages come than are wanted at once, but no more than
    /// `-n` says; for that, another consumer takes over, whichever client may be next in line.
    pub(super) async fn end_keeping(&mut self) -> Result<(), Break> {
        self.takeover.sent_kept();
        let hand = &self.receiver.hand;
        if hand.may_acknowledge(false) < hand.done_count()
            && let Some(prefetch) = hand.next_prefetch()
        {
            self.subscription.prepare(prefetch, self.takeover.priority()).await?;
            self.take_over().await?;
        }
        let number = self.receiver.hand.may_acknowledge(false);
        Ok(self.acknowledge(number)?)
    }

    /// Has a consumer with this prefetch take over, if possible.
    pub(super) async fn try_change(&mut self, prefetch: u16) -> Result<(), Break> {
        if self.is_stream {
            // A stream gives each consumer everything from where it begins, so the old one ends
            // first; a stream has no line of consumers and no end.
            self.subscription.cancel().await?;
            return Ok(self.acknowledge(u64::MAX)?);
        }
        if self.subscription.prepared().is_none() {
            self.subscription.prepare(prefetch, self.takeover.priority()).await?;
        }
        match self.turn().await? {
            Turn::Its => self.take_over().await,
            Turn::AmongOthers => {
                self.subscription.withdraw().await?;
                self.takeover.raise_priority();
                self.subscription.prepare(prefetch, self.takeover.priority()).await?;
                self.take_over().await
            }
            Turn::Unknown { waits } => {
                self.subscription.withdraw().await?;
                self.takeover.keep(waits);
                Ok(())
            }
        }
    }

    /// The prefetch of the consumer that could take over from one that takes the first message
    /// alone, and has it.
    pub(super) fn prefetch_beside_the_first(&self) -> Option<u16> {
        let hand = &self.receiver.hand;
        let is_alone = hand.is_guarded() && hand.is_full() && hand.done_count() == 0;
        let may = is_alone && !self.is_stream && !self.takeover.is_kept();
        hand.prefetch_beside_the_first().filter(|_| may)
    }

    /// A filter keeps the first record, or has dropped it. It may keep it for good, or until it has
    /// more; the first message did not crash the pipeline.
    pub(super) async fn widen(&mut self) -> Result<(), Break> {
        let Some(prefetch) = self.prefetch_beside_the_first() else { return Ok(()) };
        if self.filter_reads() { Ok(()) } else { self.try_change(prefetch).await }
    }

    async fn turn(&mut self) -> Result<Turn, Break> {
        if self.takeover.is_next_in_line() || self.subscription.wait_for_next(AT_ONCE).await? {
            return Ok(Turn::Its);
        }
        let state = self.query().await?;
        match state.consumers {
            // It has no leader just now.
            0 => Ok(Turn::Unknown { waits: false }),
            // The one active consumer of a quorum queue.
            1 if self.knows_priorities() => Ok(Turn::AmongOthers),
            1 => {
                let soon = self.takeover.is_younger_than(NEXT_IN_LINE);
                let first = self.receiver.hand.is_guarded();
                Ok(if soon && first { Turn::Its } else { Turn::Unknown { waits: true } })
            }
            // Both are ours, and no other client has one.
            2 => {
                let waits = state.ready > 0;
                let single = waits && !self.subscription.wait_for_next(GIVEN_WITHIN).await?;
                self.takeover.set_single(single);
                Ok(Turn::Its)
            }
            // Without a message to deliver, it cannot be determined.
            _ if state.ready == 0 => Ok(Turn::Unknown { waits: false }),
            _ if self.subscription.wait_for_next(GIVEN_WITHIN).await? => Ok(Turn::Its),
            _ => Ok(Turn::AmongOthers),
        }
    }

    fn knows_priorities(&self) -> bool {
        let server = self.session.server();
        server.is_some_and(|server| server.is_rabbitmq_from(KNOWS_PRIORITIES, 0))
    }

    /// Has the prepared consumer take over.
    pub(super) async fn take_over(&mut self) -> Result<(), Break> {
        let Some(prefetch) = self.subscription.prepared() else { return Ok(()) };
        let last = self.subscription.take_over().await?;
        self.takeover.taken_over();
        self.receiver.hand.consumer_changed(prefetch, last);
        if !self.subscription.has_message(AT_ONCE).await? && self.query().await?.ready > 0 {
            self.wake().await?;
        }
        Ok(())
    }

    /// RabbitMQ 3.10: a classic queue with a single active consumer delivers nothing to the next
    /// one until something happens to the queue, such as one more consumer. Returns whether ours
    /// then receives something; if the other one does, the queue has forgotten ours. If either may
    /// receive it, no more than `-n` says may come.
    pub(super) async fn wake(&mut self) -> Result<Woken, Break> {
        let may_take = self.takeover.is_single() || self.receiver.hand.wants_one_more();
        if self.subscription.prepared().is_some() || !may_take {
            return Ok(Woken::Nothing);
        }
        // A stream shows no consumers, and refuses one with a priority.
        if self.query().await?.consumers == 0 {
            return Ok(Woken::Nothing);
        }
        self.subscription.prepare(1, -1).await?;
        if self.subscription.withdraw().await? {
            return Ok(Woken::Other);
        }
        let ours = self.subscription.has_message(AT_ONCE).await?;
        Ok(if ours { Woken::Ours } else { Woken::Nothing })
    }
}

/// What one more consumer did to a queue that delivered nothing.
pub(super) enum Woken {
    /// It delivers to ours again.
    Ours,
    /// It delivers to the new one.
    Other,
    Nothing,
}
