//! The express lane: messages and their acknowledgements pass lapin by, on lapin's own connection.
//!
//! lapin is a whole AMQP client, and it keeps what a client does rarely: it connects, negotiates,
//! speaks TLS, beats its heart, opens channels, asks every question that has an answer, and owns
//! every error of a channel or the connection. What it does for each message, a promise, futures,
//! copies and a hand-over between threads, costs more than the message. So the stream that it is
//! given ([`crate::net::greeting`]) is one half of a [`Junction`], and the other half are the lanes.
//!
//! * On a channel that lapin opened and that has a [`Lane`], basic.publish, basic.get, basic.ack and
//!   basic.nack are encoded here ([`wire`]) and written between lapin's frames ([`outgoing`]).
//! * What comes is sorted ([`sort`]): on such a channel basic.ack, basic.nack, and basic.return,
//!   basic.deliver and basic.get-ok with their contents become the lane's events, in the broker's order, without a
//!   copy of the body ([`incoming`], [`line`], [`content`]). Everything else is lapin's, in order;
//!   [`guard`] refuses what it would not survive.
//! * Both learn of the end of a consumer, a channel or the connection. Once either side has closed a
//!   channel nothing is written on it any more: an acknowledgement after that would be void.
//! * The socket and all that belongs to it have one owner and one lock ([`junction`]), held for one
//!   call that does not block. While there is a lane, the thread that has it reads, in
//!   [`runtime::block_on`], whatever it awaits; lapin's thread reads what was set aside for it, and
//!   does the reading itself only while the other one is held up for a second.
//!
//! What this relies on in lapin 4: it reads and writes only through the stream it is given; it takes
//! `Pending` after bytes for an answer; it counts the channel's deliveries and publishes for itself,
//! so it must see none of them; a consumer's handle must be kept until the consumer has ended.

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
    /// What is put and not sent.
    out: Outgoing,
    /// What has come and is not taken.
    events: VecDeque<Event>,
    waiting: Arc<Waiting>,
}

/// The channel is closed, or the connection: nothing that is sent now counts.
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

    /// The consumers that begin now ask for this number of messages at once.
    pub fn asks_for(&self, count: usize) {
        self.junction.asks_for(self.id, count);
    }

    /// Puts a message; [`send`](Self::send) sends it.
    pub fn publish(&mut self, head: &Head, body: &Bytes) {
        self.out.publish(head, self.channel, self.frame_max, body);
    }

    /// Puts an acknowledgement of a message, or of all up to it.
    pub fn ack(&mut self, tag: u64, multiple: bool) {
        self.out.ack(self.channel, tag, multiple);
    }

    /// Puts a refusal of one message, which goes back to its queue if `requeue`, else to where the
    /// queue dead-letters.
    pub fn nack(&mut self, tag: u64, requeue: bool) {
        self.out.nack(self.channel, tag, requeue);
    }

    /// Puts a refusal of one message that goes back to its queue, as one delivery more: RabbitMQ 4.3
    /// does not count what [`nack`](Self::nack) gives back.
    pub fn give_back(&mut self, tag: u64) {
        self.out.give_back(self.channel, tag);
    }

    /// Puts the question for a message of a queue: [`Event::Delivered`] or [`Event::Empty`] answers,
    /// in the order of the questions. lapin asks none on this channel.
    pub fn get(&mut self, queue: &Name) {
        self.out.get(self.channel, queue);
    }

    /// How much is put and not sent, in bytes.
    pub fn put(&self) -> usize {
        self.out.len()
    }

    /// Sends what was put: as much as the socket takes now, and the rest by itself. How many bytes
    /// wait for that.
    ///
    /// # Errors
    /// When the channel is closed. What was put is void then.
    pub fn send(&mut self) -> Result<usize, Closed> {
        self.junction.send(self.id, &mut self.out).ok_or(Closed)
    }

    /// How much was sent and waits until the socket takes it, in bytes.
    pub fn unsent(&self) -> usize {
        self.junction.unsent()
    }

    /// How many messages have come for its consumers and are held still.
    pub fn waiting(&self) -> usize {
        self.waiting.deliveries()
    }

    /// The next event. Its caller is woken for it only within [`runtime::block_on`].
    pub fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Event> {
        self.next_now().map_or(Poll::Pending, Poll::Ready)
    }

    /// The next event, if it is here already.
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

/// While it is there, this thread reads what comes on the connection.
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
