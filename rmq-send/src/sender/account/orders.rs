//! Events in any order, against a model: what is reported as done is confirmed or kept, and every
//! record is accounted for when the run ends, whatever came in between.

use super::*;
use crate::record::item::Body;
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Mutex;

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Event {
    ReadGood,
    ReadBad,
    ReadEmpty,
    ReadLong,
    EndOfLong,
    /// One record is sent.
    Send,
    /// The broker answers about the first or the last in flight.
    Confirm(bool),
    Nack(bool),
    Return(bool),
    /// An answer about what is not in flight: settled already, or sent before a connection was lost.
    StaleConfirm,
    StaleNack,
    Lost,
    ChannelClosed,
    ChannelReplaced,
    /// The next write to the rejects fails.
    RejectsFail,
    Signal,
    GiveUp,
    Fail,
}

const EVENTS: [Event; 21] = [
    Event::ReadGood,
    Event::ReadBad,
    Event::ReadEmpty,
    Event::ReadLong,
    Event::EndOfLong,
    Event::Send,
    Event::Confirm(true),
    Event::Confirm(false),
    Event::Nack(true),
    Event::Nack(false),
    Event::Return(true),
    Event::Return(false),
    Event::StaleConfirm,
    Event::StaleNack,
    Event::Lost,
    Event::ChannelClosed,
    Event::ChannelReplaced,
    Event::RejectsFail,
    Event::Signal,
    Event::GiveUp,
    Event::Fail,
];

struct World {
    account: Account,
    duties: Duties,
    /// Read and not entered.
    input: VecDeque<Item>,
    long_is_open: bool,
    read: u64,
    in_flight: Vec<u64>,
    sent: BTreeSet<u64>,
    returned: BTreeSet<u64>,
    /// What is truly so.
    confirmed: BTreeSet<u64>,
    empty: BTreeSet<u64>,
    refused: BTreeSet<u64>,
    /// In the rejects, in their order, and how many of these are on the disk.
    kept: Vec<u64>,
    synced: usize,
    underway: Option<u64>,
    fails_next: bool,
    has_failed: bool,
    acknowledged: u64,
    done_in_spool: u64,
    teed: u64,
}

fn raw(number: u64) -> Arc<[u8]> {
    number.to_string().into_bytes().into()
}

fn number_of(raw: &[u8]) -> u64 {
    std::str::from_utf8(raw).unwrap().parse().unwrap()
}

fn failure(text: &str) -> Failure {
    Failure::data(text.to_owned())
}

impl World {
    fn new(duties: Duties) -> Self {
        let diagnostics = Diagnostics::new("rmq-send", true, false);
        World {
            account: Account::new(4, duties, Positions::new("line"), diagnostics),
            duties,
            input: VecDeque::new(),
            long_is_open: false,
            read: 0,
            in_flight: Vec::new(),
            sent: BTreeSet::new(),
            returned: BTreeSet::new(),
            confirmed: BTreeSet::new(),
            empty: BTreeSet::new(),
            refused: BTreeSet::new(),
            kept: Vec::new(),
            synced: 0,
            underway: None,
            fails_next: false,
            has_failed: false,
            acknowledged: 0,
            done_in_spool: 0,
            teed: 0,
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::ReadGood | Event::ReadBad | Event::ReadEmpty | Event::ReadLong
                if self.long_is_open => {}
            Event::ReadGood | Event::ReadEmpty => {
                self.read += 1;
                let (number, raw) = (self.read, raw(self.read));
                let body = Body::new(raw.clone(), 0);
                let (route, properties) = Default::default();
                let message = Message { route, properties, body };
                let message = Some(message).filter(|_| event == Event::ReadGood);
                if message.is_none() {
                    self.empty.insert(number);
                }
                self.input.push_back(Item::Record(Record { number, raw, delivery: None, message }));
            }
            Event::ReadBad => {
                self.read += 1;
                let (number, raw) = (self.read, Raw::Whole(raw(self.read)));
                self.input.push_back(Item::Bad(Bad { number, raw, why: failure("bad") }));
            }
            Event::ReadLong => {
                self.read += 1;
                self.long_is_open = true;
                let (number, bytes) = (self.read, raw(self.read));
                let raw = Raw::Begun { bytes, more: true };
                self.input.push_back(Item::Bad(Bad { number, raw, why: failure("long") }));
            }
            Event::EndOfLong if self.long_is_open => {
                self.long_is_open = false;
                self.input.push_back(Item::Rest { bytes: Arc::default(), more: false });
            }
            Event::EndOfLong => {}
            Event::Send => self.send(),
            Event::Confirm(first) => {
                if let Some(number) = self.answered(first) {
                    self.confirm(number);
                }
            }
            Event::Nack(first) => {
                if let Some(number) = self.answered(first) {
                    self.returned.remove(&number);
                    self.account.nacked(vec![number]);
                }
            }
            Event::Return(first) => {
                let number = if first { self.in_flight.first() } else { self.in_flight.last() };
                if let Some(number) = number.copied()
                    && self.returned.insert(number)
                {
                    let matches = |message: &Message| number_of(&message.body) == number;
                    assert!(self.account.returned("NO_ROUTE", matches));
                }
            }
            Event::StaleConfirm => {
                for number in (0..=self.read).filter(|number| !self.in_flight.contains(number)) {
                    assert_eq!(self.account.confirmed(number), None);
                }
            }
            Event::StaleNack => {
                let in_flight = &self.in_flight;
                let stale = (0..=self.read).filter(|number| !in_flight.contains(number));
                self.account.nacked(stale.collect());
            }
            Event::Lost => {
                self.account.suspect(true);
                self.account.lost();
                self.forget_in_flight();
            }
            Event::ChannelClosed => {
                if let Some(number) = self.account.blame() {
                    self.refused.insert(number);
                    self.account.fail_record(number, failure("refused"));
                }
                self.forget_in_flight();
            }
            Event::ChannelReplaced => {
                self.account.lost();
                self.forget_in_flight();
                self.account.begin_tentatively();
            }
            Event::RejectsFail => self.fails_next = true,
            Event::Signal => self.account.signalled(15),
            Event::GiveUp => self.account.give_up(failure("given up")),
            Event::Fail => self.account.fail(failure("failed")),
        }
        self.settle();
    }

    fn send(&mut self) {
        if let Some(due) = self.account.due() {
            assert!(!self.in_flight.contains(&due.number), "sent twice at once");
            assert!(!self.confirmed.contains(&due.number), "sent although it is confirmed");
            assert_eq!(due.again, self.sent.contains(&due.number));
            self.account.sent(&due);
            self.sent.insert(due.number);
            self.in_flight.push(due.number);
        }
    }

    fn confirm(&mut self, number: u64) {
        match self.account.confirmed(number) {
            Some(Settled::Confirmed) => {
                assert!(!self.returned.contains(&number));
                assert!(self.confirmed.insert(number));
            }
            Some(Settled::Returned(_)) => {
                assert!(self.returned.contains(&number));
                self.refused.insert(number);
                self.account.unroutable(number, failure("no queue takes it"));
            }
            None => panic!("a record in flight is known"),
        }
    }

    fn answered(&mut self, first: bool) -> Option<u64> {
        let last = self.in_flight.len().checked_sub(1)?;
        Some(self.in_flight.remove(if first { 0 } else { last }))
    }

    fn forget_in_flight(&mut self) {
        self.in_flight.clear();
        self.returned.clear();
    }

    /// As the loop does after each event.
    fn settle(&mut self) {
        while let Some(item) = self.input.front() {
            if !self.account.admits(item, true) {
                break;
            }
            let item = self.input.pop_front().unwrap();
            self.account.enter(item);
            self.perform();
        }
        self.account.leave();
        self.perform();
    }

    fn perform(&mut self) {
        while let Some(action) = self.account.next() {
            let outcome = self.act(action);
            self.account.performed(outcome);
        }
    }

    fn act(&mut self, action: Action) -> Result<(), Failure> {
        let writes = !matches!(
            action,
            Action::Tee(_) | Action::Acknowledge(..) | Action::DoneUpTo(_) | Action::TakeBack
        );
        assert!(!writes || self.duties.rejects && self.account.keeps_rejects());
        if writes && std::mem::take(&mut self.fails_next) {
            self.has_failed = true;
            self.underway = None;
            return Err(failure("no space"));
        }
        match action {
            Action::Tee(raw) => {
                let number = number_of(&raw);
                assert!(self.duties.tee && self.confirmed.contains(&number) && number > self.teed);
                self.teed = number;
            }
            Action::Keep(raw) => self.keep(number_of(&raw)),
            Action::KeepBeginning { number, more, .. } => {
                assert!(self.underway.is_none());
                match more {
                    true => self.underway = Some(number),
                    false => self.keep(number),
                }
            }
            Action::KeepRest { more, .. } => {
                if let Some(number) = self.underway.take_if(|_| !more) {
                    self.keep(number);
                }
            }
            Action::TakeBack => assert!(self.underway.take().is_some()),
            Action::Sync => self.synced = self.kept.len(),
            Action::Acknowledge(number, _) => {
                assert!(self.duties.acknowledges && number > self.acknowledged);
                self.assert_safe(self.acknowledged + 1, number);
                self.acknowledged = number;
            }
            Action::DoneUpTo(number) => {
                assert!(self.duties.kept && number > self.done_in_spool);
                self.assert_safe(self.done_in_spool + 1, number);
                self.done_in_spool = number;
            }
        }
        Ok(())
    }

    fn keep(&mut self, number: u64) {
        assert!(!self.confirmed.contains(&number), "{number} is confirmed and kept");
        assert!(self.kept.last().is_none_or(|last| *last < number), "kept out of order");
        self.kept.push(number);
    }

    /// All of these are confirmed, or dropped, or on the disk.
    fn assert_safe(&self, from: u64, to: u64) {
        for number in from..=to {
            let kept = self.kept[..self.synced].contains(&number);
            let known = self.confirmed.contains(&number) || self.empty.contains(&number);
            assert!(kept || known, "{number} is reported as done and is nowhere");
        }
    }

    /// The run is over.
    fn end(mut self) {
        if self.duties.kept {
            self.account.count_unknown();
            return;
        }
        self.account.close();
        self.perform();
        for item in std::mem::take(&mut self.input) {
            self.account.never_entered(item);
            self.perform();
        }
        self.account.keep_left_over();
        self.perform();
        let torn = self.underway;
        self.account.end();
        self.perform();
        assert!(self.underway.is_none());
        if self.duties.rejects && !self.has_failed {
            // Whatever is not confirmed is kept, once, but for what had no end.
            let all = (1..=self.read).filter(|number| {
                let known = self.confirmed.contains(number) || self.empty.contains(number);
                !known && torn != Some(*number)
            });
            let entered: BTreeSet<u64> = all.collect();
            let kept: BTreeSet<u64> = self.kept.iter().copied().collect();
            let dropped: Vec<_> = kept.difference(&entered).collect();
            assert!(dropped.iter().all(|number| self.empty.contains(number)), "{dropped:?}");
            assert_eq!(entered.difference(&kept).next(), None, "neither confirmed nor kept");
        }
        let ranges = |numbers: &BTreeSet<u64>| numbers.iter().copied().collect::<Ranges>();
        assert_eq!(self.account.confirmed.to_string(), ranges(&self.confirmed).to_string());
        let confirmations = self.account.tally().confirmed;
        assert_eq!(confirmations, self.confirmed.len() as u64);
        let unknown = self
            .sent
            .iter()
            .filter(|number| !self.confirmed.contains(number) && !self.refused.contains(number));
        let unknown: Ranges = unknown.copied().collect();
        assert_eq!(self.account.unknown.to_string(), unknown.to_string());
        let (verdict, _) = self.account.into_results(None);
        let incomplete = self.confirmed.len() + self.empty.len() < self.read as usize;
        assert!(!incomplete || verdict.outcome().is_err(), "something is missing without a word");
    }
}

/// What runs may have to do, but for `finite`, which changes nothing here.
fn duties() -> [Duties; 6] {
    let none = Duties::default();
    let rejects = Duties { rejects: true, ..none };
    [
        none,
        Duties { tee: true, acknowledges: true, ..none },
        rejects,
        Duties { acknowledges: true, ..rejects },
        Duties { kept: true, ..rejects },
        Duties { tee: true, finite: true, ..rejects },
    ]
}

fn run(duties: Duties, events: &[Event]) {
    let mut world = World::new(duties);
    events.iter().for_each(|event| world.happen(*event));
    world.end();
}

/// Every order of so many events, after two records are in flight and one waits.
#[test]
fn every_order_of_a_few_events_keeps_the_account() {
    const LENGTH: u32 = 3;
    let begin = [Event::ReadGood, Event::ReadGood, Event::Send, Event::Send, Event::ReadGood];
    let mut orders = 0_u64;
    for duties in duties() {
        for mut order in 0..EVENTS.len().pow(LENGTH) {
            let mut events = begin.to_vec();
            for _ in 0..LENGTH {
                events.push(EVENTS[order % EVENTS.len()]);
                order /= EVENTS.len();
            }
            run(duties, &events);
            orders += 1;
        }
    }
    assert_eq!(orders, 6 * 21 * 21 * 21);
}

#[test]
fn long_random_orders_of_events_keep_the_account() {
    let orders = Mutex::new(HashSet::new());
    let events = prop::collection::vec(prop::sample::select(EVENTS.to_vec()), 0..60);
    let which = 0..duties().len();
    let config =
        ProptestConfig { cases: ProptestConfig::default().cases * 8, ..Default::default() };
    proptest!(config, |(which in which, events in events)| {
        run(duties()[which], &events);
        orders.lock().unwrap().insert((which, events));
    });
    assert!(orders.lock().unwrap().len() > 1500);
}
