//! The confirm window: every record that was read and whose fate is not known yet, in order.
//!
//! A record enters when it is read and leaves, in the order of the input, when the broker has
//! confirmed it or it has failed for good; until then its bytes are kept, because it may have to be
//! sent again. A nack, a lost connection and a closed channel all mean the same here: the record
//! waits to be sent again, before any that was never sent.

use crate::record::item::{Message, Record};
use crate::results::fate::{Fate, Settled};
use crate::sender::entry::{Due, Entry, State, Suspicion};
use bytes::Bytes;
use std::collections::{BTreeSet, VecDeque};

/// The most bytes of bodies in the window, so that its memory does not grow with `--window` times
/// `--max-size`. One record always has room.
const MOST_BYTES: usize = 12 << 20;

/// After this many lost connections, a record is sent alone.
const LOSSES_TOGETHER: u32 = 2;

#[derive(Debug)]
pub struct Window {
    /// In the order of their numbers, which have no gaps.
    entries: VecDeque<Entry>,
    bytes: usize,
    most: usize,
    /// The number of the first record that was never sent.
    never_sent: u64,
    /// Numbers of records to send again.
    again: BTreeSet<u64>,
    in_flight: usize,
    /// Up to this number, records go one by one: one of them makes the broker close the channel,
    /// and the broker does not say which.
    one_by_one: u64,
    /// Nothing was confirmed on this channel yet, and the last channel failed.
    is_tentative: bool,
}

impl Window {
    /// A window of at most `most` records, numbered from 1.
    pub fn new(most: usize) -> Self {
        Window {
            entries: VecDeque::new(),
            bytes: 0,
            most,
            never_sent: 1,
            again: BTreeSet::new(),
            in_flight: 0,
            one_by_one: 0,
            is_tentative: false,
        }
    }

    /// Everything sent from now on uses a channel that replaces a failed one: one record alone
    /// until the broker confirms one. RabbitMQ 3.10 takes 4 ms to nack each message for a quorum
    /// queue whose leader's node is down, and sends none of these nacks before it has read the last
    /// message, so a whole window would wait for seconds after a new leader is elected.
    pub fn begin_tentatively(&mut self) {
        self.is_tentative = true;
    }

    /// Whether one more record may enter.
    pub fn has_room(&self) -> bool {
        self.entries.is_empty() || (self.entries.len() < self.most && self.bytes < MOST_BYTES)
    }

    /// How many records are in it.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is outstanding.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether nothing that was ever sent is outstanding.
    pub fn nothing_sent(&self) -> bool {
        self.in_flight == 0 && self.again.is_empty()
    }

    /// A record enters. Its number follows the last one's.
    pub fn push(&mut self, record: Record) {
        self.bytes += record.size();
        let state = match record.message {
            Some(_) => State::Waiting,
            None => State::Settled(Fate::Empty),
        };
        self.entries.push_back(Entry::new(record, state));
    }

    /// A record that cannot be sent takes its place.
    pub fn push_bad(&mut self, number: u64, raw: Bytes, fate: Fate) {
        let record = Record { number, raw, delivery: None, message: None };
        self.bytes += record.size();
        self.entries.push_back(Entry::new(record, State::Settled(fate)));
    }

    /// The next record to send. With `only_again`, none that was never sent.
    pub fn due(&mut self, only_again: bool) -> Option<Due<'_>> {
        let probing = self.entries.front().is_some_and(|e| e.record.number <= self.one_by_one);
        if (probing || self.is_tentative) && self.in_flight > 0 {
            return None;
        }
        let (number, again) = match self.again.first() {
            Some(number) => (*number, true),
            None if only_again => return None,
            None => (self.next_new()?, false),
        };
        let message = self.record(number)?.message.as_ref()?;
        Some(Due { number, message, again })
    }

    /// The record `number`, which was due, was sent.
    pub fn sent(&mut self, number: u64) {
        if let Some(entry) = self.entry(number) {
            entry.state = State::InFlight;
            self.in_flight += 1;
            if !self.again.remove(&number) {
                self.never_sent = number + 1;
            }
        }
    }

    /// The first record that was never sent and is to be.
    fn next_new(&mut self) -> Option<u64> {
        loop {
            let number = self.never_sent;
            match self.entry(number)?.state {
                State::Waiting => return Some(number),
                _ => self.never_sent += 1,
            }
        }
    }

    /// How many records are sent and not answered.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether something waits to be sent again.
    pub fn has_again(&self) -> bool {
        !self.again.is_empty()
    }

    /// The broker returned a message; it belongs to the oldest record in flight whose message
    /// `matches`. Returned messages carry no delivery tag, and RabbitMQ may confirm several of them
    /// later in one answer, so only the message itself identifies the record. False if none
    /// matches.
    pub fn returned(&mut self, reason: &str, matches: impl Fn(&Message) -> bool) -> bool {
        let entry = self.entries.iter_mut().find(|entry| {
            entry.state == State::InFlight
                && entry.returned.is_none()
                && entry.record.message.as_ref().is_some_and(&matches)
        });
        match entry {
            Some(entry) => {
                entry.returned = Some(reason.to_owned());
                true
            }
            None => false,
        }
    }

    /// The broker confirmed a record. `None` if it was not in flight. One that was returned waits
    /// for [`settle`](Self::settle).
    pub fn confirmed(&mut self, number: u64) -> Option<Settled> {
        let entry = self.entry(number).filter(|entry| entry.state == State::InFlight)?;
        let returned = entry.returned.take();
        self.is_tentative = false;
        match returned {
            Some(reason) => Some(Settled::Returned(reason)),
            None => {
                self.settle(number, Fate::Confirmed);
                Some(Settled::Confirmed)
            }
        }
    }

    /// The broker did not take a record, which must be sent again.
    pub fn nacked(&mut self, number: u64) {
        let in_flight = self.entry(number).filter(|entry| entry.state == State::InFlight);
        if let Some(entry) = in_flight {
            entry.state = State::Waiting;
            entry.returned = None;
            self.in_flight -= 1;
            self.again.insert(number);
        }
    }

    /// The connection or the channel is gone: whatever is in flight must be sent again.
    pub fn lost(&mut self) {
        for entry in self.entries.iter_mut().filter(|entry| entry.state == State::InFlight) {
            entry.state = State::Waiting;
            entry.returned = None;
            self.again.insert(entry.record.number);
        }
        self.in_flight = 0;
    }

    /// The broker closed the channel over one of the records in flight. If there is only one, it is
    /// the one, and waits for [`settle`](Self::settle). Otherwise they go one by one from now on.
    pub fn blame(&mut self) -> Option<u64> {
        let mut in_flight = self.entries.iter().filter(|entry| entry.state == State::InFlight);
        match (in_flight.next(), in_flight.next_back()) {
            (Some(only), None) => Some(only.record.number),
            (_, last) => {
                self.one_by_one = last.map_or(self.one_by_one, |entry| entry.record.number);
                self.lost();
                None
            }
        }
    }

    /// A connection broke off with records in flight. One of them may be the cause, so those that
    /// were in flight at two such breaks go one by one from here on, each alone. Returns what is
    /// then known about the record that was in flight alone, if there was only one and the
    /// connection broke off at once: its number, and how often that has happened.
    pub fn suspect(&mut self, at_once: bool) -> Suspicion {
        let in_flight = self.entries.iter_mut().filter(|entry| entry.state == State::InFlight);
        let mut suspicion = Suspicion::default();
        let mut one_by_one = self.one_by_one;
        for entry in in_flight {
            entry.losses += 1;
            let is_suspect = entry.losses > LOSSES_TOGETHER;
            if is_suspect && self.in_flight == 1 && at_once {
                entry.losses_alone += 1;
                suspicion.alone = Some((entry.record.number, entry.losses_alone));
            }
            if entry.losses >= LOSSES_TOGETHER {
                one_by_one = one_by_one.max(entry.record.number);
            }
        }
        suspicion.begins = one_by_one > self.one_by_one && self.in_flight > 1;
        self.one_by_one = one_by_one;
        suspicion
    }

    /// Numbers of records that were sent and whose fate is unknown.
    pub fn unknown(&self) -> impl Iterator<Item = u64> {
        let never_sent = self.never_sent;
        self.unsettled().map(|record| record.number).filter(move |number| *number < never_sent)
    }

    /// Numbers of records that were read and never sent.
    pub fn unsent(&self) -> impl Iterator<Item = u64> {
        let never_sent = self.never_sent;
        self.unsettled().map(|record| record.number).filter(move |number| *number >= never_sent)
    }

    /// The records whose fate is not known, in order.
    pub fn unsettled(&self) -> impl Iterator<Item = &Record> {
        let entries = self.entries.iter();
        entries.filter(|entry| !matches!(entry.state, State::Settled(_))).map(|entry| &entry.record)
    }

    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let first = self.entries.front()?.record.number;
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        self.entries.get_mut(index)
    }

    /// Sets the fate of a record.
    pub fn settle(&mut self, number: u64, fate: Fate) {
        let Some(entry) = self.entry(number) else { return };
        match std::mem::replace(&mut entry.state, State::Settled(fate)) {
            State::InFlight => self.in_flight -= 1,
            State::Waiting => {
                self.again.remove(&number);
            }
            State::Settled(_) => {}
        }
    }

    /// The record `number`, while it has not left.
    pub fn record(&mut self, number: u64) -> Option<&Record> {
        self.entry(number).map(|entry| &entry.record)
    }

    /// The first record leaves, if its fate is known.
    pub fn leave(&mut self) -> Option<(Record, Fate)> {
        let State::Settled(fate) = self.entries.front()?.state else { return None };
        let (record, _) = self.evict()?;
        self.never_sent = self.never_sent.max(record.number + 1);
        Some((record, fate))
    }

    /// The first record leaves, whether its fate is known or not: the run is over.
    pub fn evict(&mut self) -> Option<(Record, Option<Fate>)> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.record.size();
        match entry.state {
            State::Settled(fate) => Some((entry.record, Some(fate))),
            State::Waiting | State::InFlight => Some((entry.record, None)),
        }
    }
}

#[cfg(test)]
mod tests;
