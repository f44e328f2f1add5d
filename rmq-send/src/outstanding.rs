//! The confirm window: every record that was read and whose fate is not known yet, in order.
//!
//! A record enters when it is read and leaves when the broker has confirmed it or it has failed
//! for good; until then its bytes are kept, because it may have to be sent again. A nack, a lost
//! connection and a closed channel all mean the same here: the record waits to be sent again,
//! before any that was never sent.

use crate::lines::Record;
use std::collections::{BTreeSet, VecDeque};

/// Bytes of bodies in the window at most, so that its memory does not grow with `--window` times
/// `--max-size`. One record always has room.
const MOST_BYTES: usize = 32 << 20;

/// The window.
#[derive(Debug)]
pub struct Outstanding {
    /// In the order of their numbers, which have no gaps.
    entries: VecDeque<Entry>,
    bytes: usize,
    most: usize,
    /// The number of the first record that was never sent.
    never_sent: u64,
    /// Numbers of records to send again.
    again: BTreeSet<u64>,
    in_flight: usize,
    /// Up to this number records go one by one, because one of them makes the broker close the
    /// channel and it does not say which.
    one_by_one: u64,
}

#[derive(Debug)]
struct Entry {
    record: Record,
    state: State,
    /// The broker's reason for returning it; its confirm, which follows, then means failure.
    returned: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be sent, for the first time or again.
    Waiting,
    /// Sent on this connection.
    InFlight,
    /// Confirmed or failed; it leaves when those before it have left.
    Settled,
}

/// A record to send now.
#[derive(Debug)]
pub struct Due {
    /// The record.
    pub record: Record,
    /// Whether it has been sent before.
    pub again: bool,
}

/// What a confirm meant.
#[derive(Debug, PartialEq, Eq)]
pub enum Settled {
    /// The cluster has it.
    Confirmed,
    /// It was returned, for this reason.
    Returned(String),
}

impl Outstanding {
    /// A window of at most `most` records, whose numbers begin at 1.
    pub fn new(most: usize) -> Self {
        Outstanding {
            entries: VecDeque::new(),
            bytes: 0,
            most,
            never_sent: 1,
            again: BTreeSet::new(),
            in_flight: 0,
            one_by_one: 0,
        }
    }

    /// Whether one more record may enter.
    pub fn has_room(&self) -> bool {
        self.entries.is_empty() || (self.entries.len() < self.most && self.bytes < MOST_BYTES)
    }

    /// Whether nothing is outstanding.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether nothing that was ever sent is outstanding.
    pub fn nothing_sent(&self) -> bool {
        self.in_flight == 0 && self.again.is_empty()
    }

    /// A record enters. Its number is the one behind the last.
    pub fn push(&mut self, record: Record) {
        self.bytes += record.body.len();
        self.entries.push_back(Entry { record, state: State::Waiting, returned: None });
    }

    /// The next record to send, which counts as sent from here on. With `only_again`, none that
    /// was never sent.
    pub fn due(&mut self, only_again: bool) -> Option<Due> {
        let probing = self.entries.front().is_some_and(|e| e.record.number <= self.one_by_one);
        if probing && self.in_flight > 0 {
            return None;
        }
        let (number, again) = match self.again.pop_first() {
            Some(number) => (number, true),
            None if only_again => return None,
            None => (self.never_sent, false),
        };
        let entry = self.entry(number)?;
        entry.state = State::InFlight;
        let record = entry.record.clone();
        if !again {
            self.never_sent += 1;
        }
        self.in_flight += 1;
        Some(Due { record, again })
    }

    /// How many records are sent and not answered.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether something waits to be sent again.
    pub fn has_again(&self) -> bool {
        !self.again.is_empty()
    }

    /// The broker returned a message; it belongs to the oldest record in flight that `matches`.
    /// Returned messages carry no delivery tag, and lapin hands one over with whatever confirm
    /// comes next, so the body is all there is to go by. False where no record matches.
    pub fn returned(&mut self, reason: &str, matches: impl Fn(&Record) -> bool) -> bool {
        let entry = self.entries.iter_mut().find(|entry| {
            entry.state == State::InFlight && entry.returned.is_none() && matches(&entry.record)
        });
        match entry {
            Some(entry) => {
                entry.returned = Some(reason.to_owned());
                true
            }
            None => false,
        }
    }

    /// The broker confirmed a record. `None` where it was not in flight.
    pub fn confirmed(&mut self, number: u64) -> Option<Settled> {
        let entry = self.entry(number).filter(|entry| entry.state == State::InFlight)?;
        let settled = match entry.returned.take() {
            Some(reason) => Settled::Returned(reason),
            None => Settled::Confirmed,
        };
        self.settle(number);
        Some(settled)
    }

    /// The broker did not take a record, and asks that it be sent again.
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

    /// The broker closed the channel over one of the records in flight. Where there was only one
    /// it is that one: it leaves, and its number is returned. Else they go one by one from here.
    pub fn blame(&mut self) -> Option<u64> {
        let mut in_flight = self.entries.iter().filter(|entry| entry.state == State::InFlight);
        match (in_flight.next(), in_flight.next_back()) {
            (Some(only), None) => {
                let number = only.record.number;
                self.settle(number);
                Some(number)
            }
            (_, last) => {
                self.one_by_one = last.map_or(self.one_by_one, |entry| entry.record.number);
                self.lost();
                None
            }
        }
    }

    /// Numbers of records that were sent and whose fate is unknown.
    pub fn unknown(&self) -> impl Iterator<Item = u64> {
        let never_sent = self.never_sent;
        self.unsettled().filter(move |number| *number < never_sent)
    }

    /// Numbers of records that were read and never sent.
    pub fn unsent(&self) -> impl Iterator<Item = u64> {
        let never_sent = self.never_sent;
        self.unsettled().filter(move |number| *number >= never_sent)
    }

    fn unsettled(&self) -> impl Iterator<Item = u64> {
        let entries = self.entries.iter().filter(|entry| entry.state != State::Settled);
        entries.map(|entry| entry.record.number)
    }

    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let first = self.entries.front()?.record.number;
        let index = usize::try_from(number.checked_sub(first)?).ok()?;
        self.entries.get_mut(index)
    }

    /// A record in flight is done with; those at the front that are leave the window.
    fn settle(&mut self, number: u64) {
        if let Some(entry) = self.entry(number) {
            entry.state = State::Settled;
            self.in_flight -= 1;
        }
        while self.entries.front().is_some_and(|entry| entry.state == State::Settled) {
            let left = self.entries.pop_front();
            self.bytes -= left.map_or(0, |entry| entry.record.body.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u64, body: &str) -> Record {
        Record { number, body: body.as_bytes().into() }
    }

    fn window(bodies: &[&str]) -> Outstanding {
        let mut window = Outstanding::new(1024);
        for (number, body) in (1..).zip(bodies) {
            window.push(record(number, body));
        }
        window
    }

    fn send_all(window: &mut Outstanding) -> Vec<(u64, bool)> {
        std::iter::from_fn(|| window.due(false)).map(|due| (due.record.number, due.again)).collect()
    }

    #[test]
    fn confirms_may_come_in_any_order() {
        let mut window = window(&["a", "b", "c"]);
        assert_eq!(send_all(&mut window), [(1, false), (2, false), (3, false)]);
        assert_eq!(window.confirmed(3), Some(Settled::Confirmed));
        assert_eq!(window.confirmed(1), Some(Settled::Confirmed));
        assert_eq!(window.unknown().collect::<Vec<_>>(), [2]);
        assert_eq!(window.confirmed(2), Some(Settled::Confirmed));
        assert!(window.is_empty());
        assert_eq!(window.confirmed(2), None);
    }

    #[test]
    fn what_was_lost_or_nacked_goes_again_in_order_before_anything_new() {
        let mut window = window(&["a", "b", "c", "d"]);
        send_all(&mut window);
        window.push(record(5, "e"));
        window.confirmed(2);
        window.nacked(4);
        window.lost();
        let sent = send_all(&mut window);
        assert_eq!(sent, [(1, true), (3, true), (4, true), (5, false)]);
    }

    #[test]
    fn a_returned_message_fails_the_record_it_belongs_to_whichever_confirm_brought_it() {
        let mut window = window(&["a", "b", "b"]);
        send_all(&mut window);
        assert!(window.returned("NO_ROUTE", |record| *record.body == *b"b"));
        assert_eq!(window.confirmed(1), Some(Settled::Confirmed));
        assert_eq!(window.confirmed(2), Some(Settled::Returned("NO_ROUTE".to_owned())));
        assert_eq!(window.confirmed(3), Some(Settled::Confirmed));
        assert!(!window.returned("NO_ROUTE", |_| true));
    }

    #[test]
    fn a_channel_closed_over_one_of_many_is_traced_to_it_one_by_one() {
        let mut window = window(&["a", "b", "c"]);
        send_all(&mut window);
        assert_eq!(window.blame(), None);
        assert_eq!(send_all(&mut window), [(1, true)]);
        window.confirmed(1);
        assert_eq!(send_all(&mut window), [(2, true)]);
        assert_eq!(window.blame(), Some(2));
        window.lost();
        assert_eq!(send_all(&mut window), [(3, true)]);
    }

    #[test]
    fn the_window_is_bounded_in_records_and_in_bytes_but_always_takes_one() {
        let mut window = Outstanding::new(2);
        window.push(record(1, "a"));
        assert!(window.has_room());
        window.push(record(2, "b"));
        assert!(!window.has_room());
        let mut window = Outstanding::new(2);
        assert!(window.has_room());
        window.push(Record { number: 1, body: vec![0; MOST_BYTES].into() });
        assert!(!window.has_room());
    }
}
