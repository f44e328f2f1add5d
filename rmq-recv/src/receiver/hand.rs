//! What was taken from the queue and is not settled, and how much more may be taken.
//!
//! A core without I/O: deliveries, results and changes of the consumer or the channel go in,
//! acknowledgements come out. Whatever the order of the events, only what is done is acknowledged,
//! once, and on the channel that delivered it (`hand/orders.rs` tries many orders).

use crate::delivery::ids::Delivery;
use crate::receiver::credit::{Credit, InHand};
use crate::receiver::ledger::{Done, Entry, Ledger};
use crate::stops::Conditions;
use std::time::Instant;

/// Messages in hand. It lasts across connections: `-n` continues to count, and a result may arrive
/// for a channel that is gone.
#[derive(Debug)]
pub struct Hand {
    credit: Credit,
    ledger: Ledger,
    /// Channels opened so far; delivery tags start again with each.
    channel: u64,
    /// The last delivery tag before the current consumer was registered.
    after: u64,
    /// Messages to requeue after a pause, each with its own pause.
    postponed: Vec<Postponed>,
}

/// A message to requeue after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Postponed {
    pub tag: u64,
    /// When the pause is over.
    pub until: Instant,
    /// Whether the queue is to count it as a delivery.
    pub counts: bool,
}

impl Hand {
    /// Nothing is in hand, and as much may be taken as the conditions ask for, at most `most`
    /// messages or so many bytes at once.
    pub fn new(stop: Conditions, most: u16, bytes: u64) -> Self {
        let credit = Credit::new(stop.number, most, bytes);
        Hand { credit, ledger: Ledger::default(), channel: 0, after: 0, postponed: Vec::new() }
    }

    /// A new channel replaces the previous one: what that one delivered is back in the queue.
    pub fn begin_channel(&mut self) {
        self.forget();
        self.channel += 1;
    }

    /// Forgets everything: it is back in the queue, or nothing shows what is done.
    pub fn forget(&mut self) {
        self.ledger.clear();
        self.postponed.clear();
        self.after = 0;
    }

    /// The current channel, counted from 1.
    pub fn channel(&self) -> u64 {
        self.channel
    }

    /// Whether a guarded consumer would take less than others.
    pub fn can_be_guarded(&self) -> bool {
        self.credit.limit() > 1
    }

    /// The prefetch of a first consumer; a guarded one takes the first message alone.
    pub fn begin_consumer(&mut self, guarded: bool) -> u16 {
        self.after = self.ledger.last();
        self.credit.begin(guarded, self.ledger.len())
    }

    /// Another consumer has taken over; `last` is the last tag of the one before, if it has
    /// messages that are not in hand yet.
    pub fn consumer_changed(&mut self, prefetch: u16, last: Option<u64>) {
        self.after = self.ledger.last().max(last.unwrap_or(0));
        self.credit.changed(prefetch);
    }

    /// The prefetch for a consumer beside one that takes the first message alone.
    pub fn prefetch_beside_the_first(&self) -> Option<u16> {
        self.credit.beside_the_first()
    }

    /// Whether the current consumer takes the first message alone.
    pub fn is_guarded(&self) -> bool {
        self.credit.is_guarded()
    }

    /// A body of this length was delivered, or would have been.
    pub fn saw_body(&mut self, length: usize) {
        self.credit.seen(length);
    }

    /// Adds a delivered message.
    pub fn add(&mut self, entry: Entry) {
        self.ledger.push(entry);
    }

    /// The delivery with this tag on the current channel.
    pub fn delivery(&self, tag: u64) -> Delivery {
        Delivery { channel: self.channel, tag }
    }

    /// Everything up to this byte of the output is done.
    pub fn done_to_byte(&mut self, end: u64) {
        self.ledger.reached(|entry| entry.end <= end);
    }

    /// Everything up to this record of the output is done.
    pub fn done_to_record(&mut self, number: u64) {
        self.ledger.reached(|entry| entry.records <= number);
    }

    /// A message is done. Returns whether it was in hand and not done.
    pub fn done(&mut self, delivery: Delivery) -> bool {
        delivery.channel == self.channel && self.ledger.mark(delivery.tag)
    }

    /// A message is to be rejected. Returns whether it was in hand and not done.
    pub fn reject(&mut self, delivery: Delivery) -> bool {
        delivery.channel == self.channel && self.ledger.reject(delivery.tag)
    }

    /// A message is to be requeued after a pause.
    pub fn postpone(&mut self, delivery: Delivery, until: Instant, counts: bool) {
        if delivery.channel == self.channel {
            self.postponed.push(Postponed { tag: delivery.tag, until, counts });
        }
    }

    /// When the first of them is to be requeued.
    pub fn postponed_until(&self) -> Option<Instant> {
        self.postponed.iter().map(|it| it.until).min()
    }

    /// Takes out what is to be requeued now.
    pub fn take_postponed(&mut self, now: Instant) -> Vec<Postponed> {
        let (mut due, rest) =
            std::mem::take(&mut self.postponed).into_iter().partition(|it| it.until <= now);
        self.postponed = rest;
        Vec::retain(&mut due, |it| self.ledger.remove(it.tag));
        due
    }

    /// Takes out all that are to be requeued, whether or not its pause is over.
    pub fn take_all_postponed(&mut self) -> Vec<Postponed> {
        let mut all = std::mem::take(&mut self.postponed);
        all.retain(|it| self.ledger.remove(it.tag));
        all
    }

    /// The prefetch of a consumer that has to take over so that more come while up to `most`
    /// messages wait for the end of their pauses. If more wait, none takes over, unless the current
    /// consumer takes the first message alone, which must not keep the rest of the prefetch from
    /// coming.
    pub fn prefetch_beside_postponed(&self, most: usize) -> Option<u16> {
        if self.postponed.is_empty() || !self.is_full() {
            return None;
        }
        let prefetch = self.credit.beside(self.in_hand())?;
        if self.postponed.len() <= most {
            return Some(prefetch);
        }
        let taken = u16::try_from(self.len()).unwrap_or(u16::MAX);
        let rest = self.credit.limit().saturating_sub(taken);
        Some(prefetch.min(rest)).filter(|rest| self.is_guarded() && *rest > 0)
    }

    /// Takes out at most this many messages that are done, the oldest first.
    pub fn settle(&mut self, at_most: u64) -> Done {
        let done = self.ledger.take_done(at_most);
        self.credit.acknowledged(done.count);
        done
    }

    /// How many of those that are done may be acknowledged now.
    pub fn may_acknowledge(&self, in_bytes: bool) -> u64 {
        self.credit.may_acknowledge(self.in_hand(), in_bytes)
    }

    /// The prefetch of the consumer that has to take over before more is acknowledged.
    pub fn next_prefetch(&self) -> Option<u16> {
        self.credit.next(self.in_hand())
    }

    /// The number of messages in hand.
    pub fn len(&self) -> u64 {
        self.ledger.len()
    }

    /// Whether nothing is in hand.
    pub fn is_empty(&self) -> bool {
        self.ledger.is_empty()
    }

    /// The number of messages in hand that are done.
    pub fn done_count(&self) -> u64 {
        self.ledger.done()
    }

    /// The number of messages in hand that are not done.
    pub fn open_count(&self) -> u64 {
        self.ledger.len() - self.ledger.done()
    }

    /// Whether the current consumer may be given more while nothing is acknowledged.
    pub fn has_room(&self) -> bool {
        self.ledger.len() < self.credit.prefetch()
    }

    /// Whether the current consumer has been given all that its prefetch allows.
    pub fn is_full(&self) -> bool {
        self.in_hand().newer >= self.credit.prefetch()
    }

    /// Whether enough is done that waiting for more saves nothing.
    pub fn is_half_done(&self) -> bool {
        self.ledger.done() >= self.credit.prefetch() / 2
    }

    /// The prefetch of the current consumer.
    pub fn prefetch(&self) -> u64 {
        self.credit.prefetch()
    }

    /// Whether `-n` asks for more than what is in hand.
    pub fn wants_more(&self) -> bool {
        self.credit.wants(self.ledger.len())
    }

    /// Whether one more may be taken than all that the current consumer may be given.
    pub fn wants_one_more(&self) -> bool {
        self.credit.wants_one_more(self.in_hand())
    }

    /// Whether `-n` is met with what is done.
    pub fn is_met_by_done(&self) -> bool {
        self.credit.is_met_with(self.ledger.done())
    }

    /// Whether `-n` is met with what is in hand.
    pub fn is_met_by_all(&self) -> bool {
        self.credit.is_met_with(self.ledger.len())
    }

    /// What `-n` still asks for, beside what is acknowledged.
    pub fn left(&self) -> Option<u64> {
        self.credit.left()
    }

    fn in_hand(&self) -> InHand {
        InHand {
            taken: self.ledger.len(),
            done: self.ledger.done(),
            earlier: self.ledger.open_up_to(self.after),
            newer: self.ledger.since(self.after),
        }
    }
}

#[cfg(test)]
mod orders;
