//! What a broker has sent and the tool has not taken.
//!
//! lapin reads whatever comes and keeps it until it is asked for, so a broker that keeps to no
//! prefetch, or returns what was never published, would fill the memory. What waits is counted as
//! the frames pass ([`crate::frames`]), and a connection that brings too much is given up.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a message takes in memory besides its body, more or less; its properties, where there are not
/// many.
const OVERHEAD: u64 = 600;
/// Bytes of properties that are in the overhead.
const FEW: u64 = 256;
/// How much more a table takes once lapin has read it, at the least what it may.
const EXPANDED: u64 = 16;
/// The same of what comes back to rmq-send, whose whole window may.
const EXPANDED_RETURNED: u64 = 4;
/// The largest message that RabbitMQ carries by default (3.10; 4.x: 16 MiB), in bytes.
pub const LARGEST: u64 = 128 << 20;
/// What may wait beyond two prefetches, in messages: a stream sends by blocks.
const SLACK: usize = 100;
/// What may wait at the least: a stream sends its messages by blocks.
const LEAST_WAITING: u64 = 16 << 20;

/// How much may come, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body.
    pub message: u64,
    /// All that waits, but for one message, which may always.
    pub waiting: u64,
    /// The first is the user's choice (`--max-size`), so that a larger message is no fault of the
    /// broker's.
    pub is_chosen: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { message: LARGEST, waiting: LEAST_WAITING, is_chosen: false }
    }
}

/// What is wrong with what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// A message of `size` bytes, where so many may come.
    Message {
        /// What is announced.
        size: u64,
        /// [`Limits::message`].
        most: u64,
        /// [`Limits::is_chosen`].
        is_chosen: bool,
    },
    /// More waits than was asked for, in messages and in bytes.
    Unasked {
        /// Messages.
        count: usize,
        /// What they take.
        bytes: u64,
    },
    /// No more messages than were asked for, but in bytes more than was thought.
    Large {
        /// What they take.
        bytes: u64,
    },
}

/// What has come on a connection and is not taken.
#[derive(Debug, Default)]
pub struct Held(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    limits: Limits,
    deliveries: VecDeque<Waiting>,
    returned: VecDeque<u64>,
    bytes: u64,
    /// By the last two consumers; those of the one before may be on their way still.
    asked: [usize; 2],
    largest: u64,
    /// The highest number confirmed on each channel.
    confirmed: HashMap<u16, u64>,
}

#[derive(Debug)]
struct Waiting {
    channel: u16,
    tag: u64,
    size: u64,
}

impl Held {
    /// Nothing yet.
    pub fn new(limits: Limits) -> Self {
        let waiting = limits.waiting.max(LEAST_WAITING);
        let limits = Limits { waiting, ..limits };
        Held(Mutex::new(State { limits, ..State::default() }))
    }

    /// A consumer asks for so many messages at once.
    pub fn asks_for(&self, count: usize) {
        let state = &mut *self.state();
        state.asked = [count, state.asked[0]];
    }

    /// The delivery `tag` of `channel` is taken, and with it all before it and all of other channels.
    pub fn taken(&self, channel: u16, tag: u64) {
        let state = &mut *self.state();
        while state.deliveries.front().is_some_and(|it| it.channel != channel || it.tag <= tag) {
            let size = state.deliveries.pop_front().map_or(0, |it| it.size);
            state.bytes = state.bytes.saturating_sub(size);
        }
    }

    /// So many returned messages are taken.
    pub fn returned(&self, count: usize) {
        let state = &mut *self.state();
        for size in state.returned.drain(..count.min(state.returned.len())) {
            state.bytes = state.bytes.saturating_sub(size);
        }
    }

    /// A channel begins, and what came on others is gone with them.
    pub fn forget(&self) {
        let state = &mut *self.state();
        state.deliveries.clear();
        state.returned.clear();
        state.bytes = 0;
        state.confirmed.clear();
    }

    /// The highest number that was confirmed on a channel, 0 where none was. lapin takes a confirm of
    /// many for those that it knows, and does not notice one of messages that were never published.
    pub fn confirmed(&self, channel: u16) -> u64 {
        self.state().confirmed.get(&channel).copied().unwrap_or_default()
    }

    /// The broker confirms this number, and perhaps all before it.
    pub(crate) fn confirms(&self, channel: u16, number: u64) {
        let state = &mut *self.state();
        let highest = state.confirmed.entry(channel).or_default();
        *highest = number.max(*highest);
    }

    /// How many deliveries have come and are not taken.
    pub fn waiting(&self) -> usize {
        self.state().deliveries.len()
    }

    /// The largest message that has come: its body, and what many properties take.
    pub fn largest(&self) -> u64 {
        self.state().largest
    }

    /// A body of this size is about to come, of this cause, with properties of that size.
    pub(crate) fn comes(
        &self,
        channel: u16,
        cause: Cause,
        body: u64,
        properties: u64,
    ) -> Result<(), Excess> {
        let state = &mut *self.state();
        let Limits { message: most, waiting, is_chosen } = state.limits;
        if body > most {
            return Err(Excess::Message { size: body, most, is_chosen });
        }
        // Nothing of what a consumer's connection has sent can be returned.
        let comes_back = cause == Cause::Return && state.asked == [0, 0];
        let expanded = if comes_back { EXPANDED_RETURNED } else { EXPANDED };
        let body = body + properties.saturating_sub(FEW) * expanded;
        state.largest = state.largest.max(body);
        let size = body + OVERHEAD;
        let count = match cause {
            Cause::Delivery(tag) => {
                state.deliveries.push_back(Waiting { channel, tag, size });
                state.deliveries.len()
            }
            Cause::Return => {
                state.returned.push_back(size);
                state.returned.len()
            }
            // One answer to each question.
            Cause::Get => return Ok(()),
        };
        state.bytes += size;
        let bytes = state.bytes;
        match count {
            _ if bytes <= waiting || count == 1 => Ok(()),
            _ if cause == Cause::Return || count > state.asked.iter().sum::<usize>() + SLACK => {
                Err(Excess::Unasked { count, bytes })
            }
            _ => Err(Excess::Large { bytes }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a body comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A consumer is given this delivery.
    Delivery(u64),
    /// It was asked for by basic.get.
    Get,
    /// A message of ours that no queue took.
    Return,
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEGABYTE: u64 = 1 << 20;

    fn held() -> Held {
        let limits = Limits { message: 10 * MEGABYTE, waiting: 0, is_chosen: true };
        let held = Held::new(limits);
        held.asks_for(20);
        held
    }

    #[test]
    fn the_highest_confirm_of_a_channel_is_known_until_another_begins() {
        let held = Held::default();
        for (channel, number) in [(1, 5), (1, 3), (2, 1 << 40)] {
            held.confirms(channel, number);
        }
        assert_eq!([1, 2, 3].map(|channel| held.confirmed(channel)), [5, 1 << 40, 0]);
        held.forget();
        assert_eq!(held.confirmed(1), 0);
    }

    #[test]
    fn a_body_larger_than_allowed_is_refused_whatever_it_comes_for() {
        for cause in [Cause::Delivery(1), Cause::Get, Cause::Return] {
            assert_eq!(held().comes(1, cause, 10 * MEGABYTE, 0), Ok(()));
            let (size, most) = (1 << 62, 10 * MEGABYTE);
            let excess = Excess::Message { size, most, is_chosen: true };
            assert_eq!(held().comes(1, cause, size, 0), Err(excess));
        }
    }

    #[test]
    fn what_is_taken_makes_room_and_what_is_not_is_bounded() {
        let held = held();
        for tag in 1..1000 {
            assert_eq!(held.comes(1, Cause::Delivery(tag), MEGABYTE, 0), Ok(()));
            held.taken(1, tag.saturating_sub(3));
        }
        assert_eq!((held.largest(), held.waiting()), (MEGABYTE, 3));
        let come = |held: &Held| {
            (1000..).find_map(|tag| held.comes(1, Cause::Delivery(tag), MEGABYTE, 0).err())
        };
        assert!(matches!(come(&held), Some(Excess::Large { .. })));
        held.forget();
        let small = |tag| held.comes(1, Cause::Delivery(tag), 150_000, 0);
        assert!(matches!((2000..).find_map(|tag| small(tag).err()), Some(Excess::Large { .. })));
        held.asks_for(0);
        held.asks_for(0);
        assert!(matches!(small(3000), Err(Excess::Unasked { .. })));
        // A new channel counts from 1.
        held.taken(2, 1);
        assert_eq!(held.comes(2, Cause::Delivery(2), 5, 0), Ok(()));
    }

    #[test]
    fn large_properties_count_as_what_they_take() {
        let held = held();
        let come = (0..).find_map(|tag| held.comes(1, Cause::Delivery(tag), 0, 100_000).err());
        assert!(matches!(come, Some(Excess::Large { bytes }) if bytes < 20 * MEGABYTE));
        assert!(held.largest() > MEGABYTE);
        held.forget();
        let count = (0..).take_while(|tag| held.comes(1, Cause::Delivery(*tag), 0, 200).is_ok());
        assert!(count.count() > 10_000);
    }

    #[test]
    fn returned_messages_are_bounded_too_even_empty_ones() {
        let held = held();
        let flood = (0..1_000_000).find_map(|_| held.comes(1, Cause::Return, 0, 0).err());
        assert!(matches!(flood, Some(Excess::Unasked { .. })));
        held.forget();
        for _ in 0..1_000_000 {
            assert_eq!(held.comes(1, Cause::Return, 0, 0), Ok(()));
            held.returned(1);
        }
    }
}
