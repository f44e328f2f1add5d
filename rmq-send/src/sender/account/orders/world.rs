//! The model: it lets events happen, does what the account asks for, and checks it on the spot.

use super::*;
use crate::record::item::Record;
use std::collections::{BTreeSet, VecDeque};

/// An account, and the truth about its records.
pub(super) struct World {
    pub(super) account: Account,
    pub(super) duties: Duties,
    /// Read but not entered.
    pub(super) input: VecDeque<Item>,
    long_is_open: bool,
    pub(super) read: u64,
    in_flight: Vec<u64>,
    pub(super) sent: BTreeSet<u64>,
    returned: BTreeSet<u64>,
    /// What is really confirmed.
    pub(super) confirmed: BTreeSet<u64>,
    pub(super) empty: BTreeSet<u64>,
    pub(super) refused: BTreeSet<u64>,
    /// In the rejects, in order, and how many of these are on disk.
    pub(super) kept: Vec<u64>,
    synced: usize,
    pub(super) underway: Option<u64>,
    fails_next: bool,
    pub(super) has_failed: bool,
    acknowledged: u64,
    done_in_spool: u64,
    teed: u64,
}

fn raw(number: u64) -> Bytes {
    number.to_string().into_bytes().into()
}

fn number_of(raw: &[u8]) -> u64 {
    std::str::from_utf8(raw).unwrap().parse().unwrap()
}

fn failure(text: &str) -> Failure {
    Failure::data(text.to_owned())
}

impl World {
    pub(super) fn new(duties: Duties) -> Self {
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

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::ReadGood | Event::ReadBad | Event::ReadEmpty | Event::ReadLong
                if self.long_is_open => {}
            Event::ReadGood | Event::ReadEmpty => {
                self.read += 1;
                let (number, raw) = (self.read, raw(self.read));
                let body = raw.clone();
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
                self.input.push_back(Item::Rest { bytes: Bytes::new(), more: false });
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
            let (number, again) = (due.number, due.again);
            self.account.sent(number, again);
            self.sent.insert(number);
            self.in_flight.push(number);
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

    pub(super) fn perform(&mut self) {
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

    /// All of these are confirmed, dropped or on disk.
    fn assert_safe(&self, from: u64, to: u64) {
        for number in from..=to {
            let kept = self.kept[..self.synced].contains(&number);
            let known = self.confirmed.contains(&number) || self.empty.contains(&number);
            assert!(kept || known, "{number} is reported as done and is nowhere");
        }
    }
}
