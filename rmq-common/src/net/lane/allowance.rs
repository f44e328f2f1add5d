//! How much may arrive.
//!
//! A broker that ignores the prefetch, or returns what was never published, would fill the memory.
//! So what waits to be taken is counted, and a connection that brings too much is given up.

use super::unreadable::Excess;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Roughly the memory that a message takes besides its bytes.
const OVERHEAD: u64 = 600;
/// The largest message that RabbitMQ carries by default (3.10; 4.x: 16 MiB), in bytes.
pub const LARGEST: u64 = 128 << 20;
/// What may wait beyond two prefetches, in messages: a stream sends in blocks.
const SLACK: usize = 100;
/// The least amount that may wait, in bytes: a stream sends its messages in blocks.
const LEAST_WAITING: u64 = 16 << 20;

/// How much may arrive, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body.
    pub message: u64,
    /// All that waits, except one message, which is always allowed.
    pub waiting: u64,
    /// The first is the user's choice (`--max-size`), so a larger message is not the broker's
    /// fault.
    pub is_chosen: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { message: LARGEST, waiting: LEAST_WAITING, is_chosen: false }
    }
}

/// What has arrived on a lane and is still held: each message until it is dropped.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    bytes: AtomicU64,
    deliveries: AtomicUsize,
    returns: AtomicUsize,
}

impl Waiting {
    /// The bytes that wait.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many messages for consumers wait.
    pub(super) fn deliveries(&self) -> usize {
        self.deliveries.load(Ordering::Relaxed)
    }

    fn of(&self, cause: Cause) -> &AtomicUsize {
        match cause {
            Cause::Delivery => &self.deliveries,
            Cause::Return => &self.returns,
        }
    }
}

/// A message that counts as waiting until this is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    waiting: Arc<Waiting>,
    cause: Cause,
    bytes: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.waiting.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.waiting.of(self.cause).fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a message arrives on a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It is delivered to a consumer.
    Delivery,
    /// It is a message of ours that no queue accepted.
    Return,
}

/// How much may arrive on a connection, and how much has.
#[derive(Debug)]
pub(super) struct Allowance {
    limits: Limits,
    largest: u64,
    /// Messages and bytes that arrived with no recipient.
    stray: (usize, u64),
}

impl Allowance {
    pub(super) fn new(limits: Limits) -> Self {
        let waiting = limits.waiting.max(LEAST_WAITING);
        Allowance { limits: Limits { waiting, ..limits }, largest: 0, stray: (0, 0) }
    }

    /// The largest message that was announced and allowed: its body and its properties.
    pub(super) fn largest(&self) -> u64 {
        self.largest
    }

    /// A body of this size is about to arrive.
    pub(super) fn body(&mut self, size: u64) -> Result<(), Excess> {
        let Limits { message: most, is_chosen, .. } = self.limits;
        if size > most {
            return Err(Excess::Message { size, most, is_chosen });
        }
        self.largest = self.largest.max(size);
        Ok(())
    }

    /// A message with a body and properties of this size arrives on a lane, whose consumers have
    /// requested `asked` messages at once.
    pub(super) fn comes(
        &mut self,
        cause: Cause,
        (body, properties): (u64, u64),
        asked: usize,
        waiting: &Arc<Waiting>,
    ) -> Result<Ticket, Excess> {
        self.body(body)?;
        let size = body + properties;
        self.largest = self.largest.max(size);
        let ticket = Ticket { waiting: waiting.clone(), cause, bytes: size + OVERHEAD };
        let bytes = waiting.bytes.fetch_add(ticket.bytes, Ordering::Relaxed) + ticket.bytes;
        let count = waiting.of(cause).fetch_add(1, Ordering::Relaxed) + 1;
        match count {
            _ if bytes <= self.limits.waiting || count == 1 => Ok(ticket),
            _ if cause == Cause::Return || count > asked + SLACK => {
                Err(Excess::Unasked { count, bytes })
            }
            _ => Err(Excess::Large { bytes }),
        }
    }

    /// A message that was not requested arrives, and is skipped.
    pub(super) fn stray(&mut self, size: u64) -> Result<(), Excess> {
        self.body(size)?;
        let (count, bytes) = &mut self.stray;
        (*count, *bytes) = (*count + 1, *bytes + size + OVERHEAD);
        let (count, bytes) = (*count, *bytes);
        if bytes <= LEAST_WAITING { Ok(()) } else { Err(Excess::Unasked { count, bytes }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: u64 = 1 << 20;

    fn allowance() -> Allowance {
        Allowance::new(Limits { message: 10 * MEGABYTE, waiting: 0, is_chosen: true })
    }

    #[test]
    fn a_message_that_is_too_large_is_refused_when_it_is_announced() {
        let mut allowance = allowance();
        let waiting = Arc::default();
        let most = 10 * MEGABYTE;
        let excess = |size| Excess::Message { size, most, is_chosen: true };
        let comes = allowance.comes(Cause::Delivery, (most + 1, 0), 1, &waiting);
        assert_eq!(comes.err(), Some(excess(most + 1)));
        assert_eq!(allowance.body(1 << 62), Err(excess(1 << 62)));
        assert_eq!((allowance.largest(), waiting.bytes()), (0, 0));
        assert!(allowance.comes(Cause::Delivery, (most, 7), 1, &waiting).is_ok());
        assert_eq!(allowance.largest(), most + 7);
    }

    #[test]
    fn what_waits_is_bounded_and_one_message_may_always() {
        let mut allowance = allowance();
        let waiting: Arc<Waiting> = Arc::default();
        for _ in 0..100 {
            let ticket = allowance.comes(Cause::Delivery, (9 * MEGABYTE, 0), 2, &waiting).unwrap();
            assert_eq!(waiting.deliveries(), 1);
            drop(ticket);
        }
        assert_eq!((waiting.bytes(), waiting.deliveries()), (0, 0));
        let _first = allowance.comes(Cause::Delivery, (9 * MEGABYTE, 0), 2, &waiting).unwrap();
        let second = allowance.comes(Cause::Delivery, (9 * MEGABYTE, 0), 2, &waiting);
        assert!(matches!(second, Err(Excess::Large { .. })), "{second:?}");
    }

    #[test]
    fn more_than_was_asked_for_is_the_broker_s_fault() {
        for cause in [Cause::Delivery, Cause::Return] {
            let mut allowance = allowance();
            let waiting = Arc::default();
            let mut held = Vec::new();
            let refused = loop {
                match allowance.comes(cause, (0, 1000), 100, &waiting) {
                    Ok(ticket) => held.push(ticket),
                    Err(excess) => break excess,
                }
            };
            assert!(matches!(refused, Excess::Unasked { .. }), "{refused:?}");
            assert!((10_000..20_000).contains(&held.len()));
        }
        let mut allowance = allowance();
        let refused = (0..1_000_000).find_map(|_| allowance.stray(1000).err());
        assert!(matches!(refused, Some(Excess::Unasked { .. })), "{refused:?}");
    }
}
