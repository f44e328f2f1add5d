//! The express lane: messages and their acknowledgements bypass lapin, on lapin's own connection.
//!
//! lapin is a complete AMQP client, and keeps a client's rare work: it connects, negotiates, speaks
//! TLS, sends heartbeats, opens channels, sends every request that has an answer, and owns every
//! error of a channel or the connection. Its work for each message, a promise, futures, copies and
//! a hand-over between threads, costs more than the message. So the stream that it gets
//! ([`crate::net::greeting`]) is one half of a [`Junction`], and the lanes are the other half.
//!
//! * On a channel that lapin opened and that has a [`Lane`], basic.publish, basic.get, basic.ack and
//!   basic.nack are encoded here ([`wire`]) and written between lapin's frames ([`outgoing`]).
//! * Arriving frames are sorted ([`sort`]): on such a channel basic.ack, basic.nack, and
//!   basic.return, basic.deliver and basic.get-ok with their contents become the lane's events, in
//!   the broker's order, without a copy of the body ([`incoming`], [`line`], [`content`]).
//!   Everything else goes to lapin, in order; [`guard`] refuses what lapin would not survive.
//! * Both learn of the end of a consumer, a channel or the connection. Once either side has closed
//!   a channel, nothing more is written on it: an acknowledgement after that would have no effect.
//! * The socket and everything that belongs to it have one owner and one lock ([`junction`]), held
//!   for one call that does not block. While there is a lane, its thread reads, in
//!   [`runtime::block_on`], whatever it awaits; lapin's thread reads what was set aside for it, and
//!   reads the socket itself only while the other one has been held up for a second.
//!
//! What this relies on in lapin 4: it reads and writes only through its stream; it accepts
//! `Pending` after a partial read; it counts the channel's deliveries and publishes itself, so it
//! must see none of them; a consumer's handle must be kept until the consumer has ended.

mod allowance;
mod coming;
mod content;
mod event;
mod guard;
mod head;
mod incoming;
mod junction;
mod line;
mod method;
mod nesting;
mod outgoing;
mod sort;
mod unreadable;
mod wakers;
pub(super) mod wire;

#[cfg(test)]
pub(crate) mod fuzz;
#[cfg(test)]
mod junction_tests;
#[cfg(test)]
mod method_tests;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod sort_tests;
#[cfg(test)]
mod wire_tests;

use crate::envelope::message::Name;
use crate::net::runtime::{self, Beside};
use allowance::Waiting;
use bytes::Bytes;
use outgoing::Outgoing;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

pub use allowance::{LARGEST, Limits};
pub use content::Content;
pub use event::Event;
pub use head::Head;
pub(crate) use junction::{Junction, Stream};
pub(crate) use unreadable::{Excess, Unreadable};
pub(crate) use wire::{FRAME_HEADER, FRAME_MAX};

/// A channel's lane.
pub struct Lane {
    junction: Arc<Junction>,
    id: u64,
    channel: u16,
    frame_max: u32,
    /// What is buffered and not sent.
    out: Outgoing,
    /// What has arrived and is not taken.
    events: VecDeque<Event>,
    waiting: Arc<Waiting>,
}

/// The channel or the connection is closed: nothing sent now has an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl Lane {
    pub(crate) fn new(junction: &Arc<Junction>, channel: u16, frame_max: u32) -> Self {
        let (id, waiting) = junction.add(channel);
        Lane {
            junction: junction.clone(),
            id,
            channel,
            frame_max,
            out: Outgoing::default(),
            events: VecDeque::new(),
            waiting,
        }
    }

    /// The channel's number.
    pub fn channel(&self) -> u16 {
        self.channel
    }

    /// Consumers that are registered from now on request this many messages at once.
    pub fn asks_for(&self, count: usize) {
        self.junction.asks_for(self.id, count);
    }

    /// Puts a message; [`send`](Self::send) sends it.
    pub fn publish(&mut self, head: &Head, body: &Bytes) {
        self.out.publish(head, self.channel, self.frame_max, body);
    }

    /// Buffers an acknowledgement of a message, or of all up to it.
    pub fn ack(&mut self, tag: u64, multiple: bool) {
        self.out.ack(self.channel, tag, multiple);
    }

    /// Buffers a refusal of one message, which goes back to its queue if `requeue`, otherwise to
    /// the queue's dead-letter exchange.
    pub fn nack(&mut self, tag: u64, requeue: bool) {
        self.out.nack(self.channel, tag, requeue);
    }

    /// Buffers a refusal of one message that goes back to its queue and counts as a delivery:
    /// RabbitMQ 4.3 does not count what [`nack`](Self::nack) gives back.
    pub fn give_back(&mut self, tag: u64) {
        self.out.give_back(self.channel, tag);
    }

    /// Buffers a request for a message from a queue: [`Event::Delivered`] or [`Event::Empty`]
    /// answers, in the order of the requests. lapin sends no such request on this channel.
    pub fn get(&mut self, queue: &Name) {
        self.out.get(self.channel, queue);
    }

    /// How much is buffered and not sent, in bytes.
    pub fn put(&self) -> usize {
        self.out.len()
    }

    /// Sends what was buffered: as much as the socket accepts now; the rest is sent later without a
    /// call. Returns how many bytes wait for that.
    ///
    /// # Errors
    /// The channel is closed. What was buffered has no effect then.
    pub fn send(&mut self) -> Result<usize, Closed> {
        self.junction.send(self.id, &mut self.out).ok_or(Closed)
    }

    /// How much was sent and waits until the socket accepts it, in bytes.
    pub fn unsent(&self) -> usize {
        self.junction.unsent()
    }

    /// How many messages have arrived for its consumers and are still held.
    pub fn waiting(&self) -> usize {
        self.waiting.deliveries()
    }

    /// The next event. Its caller is woken for it only within [`runtime::block_on`].
    pub fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Event> {
        self.next_now().map_or(Poll::Pending, Poll::Ready)
    }

    /// The next event, if it has arrived already.
    pub fn next_now(&mut self) -> Option<Event> {
        if self.events.is_empty() && !self.junction.take(self.id, &mut self.events) {
            return None;
        }
        self.events.pop_front()
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.junction.remove(self.id);
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("channel", &self.channel).finish_non_exhaustive()
    }
}

/// While this exists, this thread reads the connection.
pub(crate) struct Pumped(Arc<Junction>);

impl Pumped {
    pub(crate) fn new(junction: &Arc<Junction>) -> Self {
        junction.set_pumped(true);
        runtime::beside(junction.clone());
        Pumped(junction.clone())
    }
}

impl Drop for Pumped {
    fn drop(&mut self) {
        self.0.set_pumped(false);
    }
}

impl Beside for Junction {
    fn turn(&self, context: &mut Context<'_>) -> Option<bool> {
        self.pump(context)
    }
}
