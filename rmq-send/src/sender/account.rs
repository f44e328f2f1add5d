//! The core: what becomes of every record, from its entry into the window to its end.
//!
//! Events come in as calls. [`Account::next`] gives one action at a time; [`Account::performed`]
//! takes its outcome before the next is given. No I/O is done here, so that `orders.rs` can try
//! events in any order.

use crate::input::positions::Positions;
use crate::record::item::{Bad, Item, Message, Raw};
use crate::results::action::{Action, Duties};
use crate::results::fate::Settled;
use crate::results::leaving::Leaving;
use crate::results::ranges::Ranges;
use crate::results::rejected_summary::RejectedSummary;
use crate::results::tally::Tally;
use crate::results::verdict::Verdict;
use crate::sender::entry::{Due, Suspicion};
use crate::sender::window::Window;
use bytes::Bytes;
use leftovers::Leftovers;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::failure::Failure;

mod leftovers;
#[cfg(test)]
mod orders;

/// The account of all records.
#[derive(Debug)]
pub struct Account {
    window: Window,
    leaving: Leaving,
    confirmed: Ranges,
    leftovers: Leftovers,
}

impl Account {
    /// At most `at_once` records are unconfirmed.
    pub fn new(
        at_once: usize,
        duties: Duties,
        positions: Positions,
        diagnostics: Diagnostics,
    ) -> Self {
        Account {
            window: Window::new(at_once),
            leaving: Leaving::new(duties, positions, diagnostics),
            confirmed: Ranges::default(),
            leftovers: Leftovers::default(),
        }
    }

    /// The next action; `None` until something else happens.
    pub fn next(&mut self) -> Option<Action> {
        self.leaving.next()
    }

    /// Takes the outcome of the last action.
    pub fn performed(&mut self, outcome: Result<(), Failure>) {
        if let Some((number, fate)) = self.leaving.performed(outcome) {
            self.window.push_bad(number, Bytes::new(), fate);
        }
    }

    /// Whether the rejects still take records.
    pub fn keeps_rejects(&self) -> bool {
        self.leaving.duties().rejects
    }

    /// Whether to stop reading.
    pub fn ends_input(&self) -> bool {
        self.leaving.ends_input()
    }

    /// Whether one more item may be accepted; `has_room` says whether what is done can be reported.
    pub fn admits(&self, item: &Item, has_room: bool) -> bool {
        match item {
            // More of a record that is not held needs no room.
            Item::Rest { .. } => true,
            _ if !has_room || !self.window.has_room() => false,
            // It is not held, so all before it must have left, to keep the rejects in order.
            Item::Bad(Bad { raw: Raw::Begun { .. }, .. }) => {
                !self.keeps_rejects() || self.window.is_empty()
            }
            _ => true,
        }
    }

    /// An item that was read enters.
    pub fn enter(&mut self, item: Item) {
        match item {
            Item::Record(record) => self.window.push(record),
            Item::Bad(bad) => {
                let number = bad.number;
                if let Some((raw, fate)) = self.leaving.bad(bad) {
                    self.window.push_bad(number, raw, fate);
                }
            }
            Item::Rest { bytes, more } => self.leaving.rest(bytes, more),
        }
    }

    /// Lets records whose fate is known leave the window, in input order. Returns whether any did.
    pub fn leave(&mut self) -> bool {
        let before = self.window.len();
        while let Some((record, fate)) = self.window.leave() {
            self.leaving.left(record, fate);
        }
        let any = self.window.len() < before;
        if any {
            self.leaving.all_left();
        }
        any
    }

    /// The next record to send. After a failure, none that was never sent.
    pub fn due(&mut self) -> Option<Due<'_>> {
        self.window.due(self.leaving.verdict().is_failure())
    }

    /// The record `number`, which was due, was sent; `again`, if it had been before.
    pub fn sent(&mut self, number: u64, again: bool) {
        self.leaving.tally().resent += u64::from(again);
        self.window.sent(number);
    }

    /// The broker returned a message; see [`Window::returned`].
    pub fn returned(&mut self, reason: &str, matches: impl Fn(&Message) -> bool) -> bool {
        self.window.returned(reason, matches)
    }

    /// The broker confirmed a record; `None` if it was not in flight. One that was returned waits
    /// for [`unroutable`](Self::unroutable), or to be nacked.
    pub fn confirmed(&mut self, number: u64) -> Option<Settled> {
        let bytes = self.message(number).map_or(0, |message| message.body.len());
        let settled = self.window.confirmed(number)?;
        if settled == Settled::Confirmed {
            let tally = self.leaving.tally();
            tally.confirmed += 1;
            tally.bytes += bytes as u64;
            // With a spool, only the spool knows.
            if !self.leaving.duties().kept {
                self.confirmed.insert(number);
            }
        }
        Some(settled)
    }

    /// A record is unroutable.
    pub fn unroutable(&mut self, number: u64, why: Failure) {
        self.leaving.tally().returned += 1;
        self.fail_record(number, why);
    }

    /// The broker did not take these, and asks that they be sent again.
    pub fn nacked(&mut self, numbers: Vec<u64>) {
        self.leaving.tally().nacked += numbers.len() as u64;
        numbers.into_iter().for_each(|number| self.window.nacked(number));
    }

    /// The channel or the connection is gone; see [`Window::lost`].
    pub fn lost(&mut self) {
        self.window.lost();
    }

    /// See [`Window::blame`].
    pub fn blame(&mut self) -> Option<u64> {
        self.window.blame()
    }

    /// See [`Window::suspect`].
    pub fn suspect(&mut self, at_once: bool) -> Suspicion {
        self.window.suspect(at_once)
    }

    /// See [`Window::begin_tentatively`].
    pub fn begin_tentatively(&mut self) {
        self.window.begin_tentatively();
    }

    /// A record failed for good. Without rejects, no more is read, and what was sent is waited for.
    pub fn fail_record(&mut self, number: u64, failure: Failure) {
        let fate = self.leaving.fail_record(number, failure);
        self.window.settle(number, fate);
    }

    /// The message of a record that has not left.
    pub fn message(&mut self, number: u64) -> Option<&Message> {
        self.window.record(number).and_then(|record| record.message.as_ref())
    }

    /// The records that have not left.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// The current counts.
    pub fn tally(&mut self) -> Tally {
        let mut tally = self.leaving.tally().clone();
        tally.unconfirmed = self.window.len() as u64;
        tally
    }

    /// Whether there is anything to send, or will be.
    pub fn wants_to_send(&mut self) -> bool {
        !self.leaving.verdict().is_failure() || self.window.has_again()
    }

    /// Whether nothing more is awaited; `all_read` says whether all input is read.
    pub fn is_done(&mut self, all_read: bool) -> bool {
        let verdict = self.leaving.verdict();
        let settled = match verdict.is_failure() {
            true => self.window.nothing_sent(),
            false => all_read && self.window.is_empty(),
        };
        verdict.has_given_up() || settled
    }

    /// Counts records that were read.
    pub fn read(&mut self, records: u64) {
        self.leaving.tally().read += records;
    }

    /// Something other than a record failed for good; what was sent is still waited for.
    pub fn fail(&mut self, failure: Failure) {
        self.leaving.fail(failure);
    }

    /// Gives up: nothing more is waited for.
    pub fn give_up(&mut self, failure: Failure) {
        self.leaving.give_up(failure);
    }

    /// The same, because of a signal.
    pub fn give_up_for_the_signal(&mut self) {
        self.leaving.verdict().give_up_for_the_signal();
        self.leaving.end_input();
    }

    /// A signal requested the end.
    pub fn signalled(&mut self, signal: i32) {
        self.leaving.verdict().signalled(signal);
        self.leaving.end_input();
    }

    /// How the run ends, as far as is known.
    pub fn verdict(&mut self) -> &mut Verdict {
        self.leaving.verdict()
    }

    /// Takes what went into the spool: records read, and those rejected before.
    pub fn spooled(&mut self, read: u64, rejections: RejectedSummary) {
        self.leaving.tally().read = read;
        self.leaving.tally().rejected += rejections.count();
        self.leaving.verdict().reject_input(rejections);
    }

    /// The run is over: everything still in the window leaves it.
    pub fn close(&mut self) {
        self.count_unknown();
        self.leftovers.take(&mut self.window, &mut self.leaving);
    }

    /// Counts what was sent and not answered, and stays in a spool.
    pub fn count_unknown(&mut self) {
        self.leaving.tally().unknown = self.window.unknown().count() as u64;
    }

    /// An item that was read never entered.
    pub fn never_entered(&mut self, item: Item) {
        self.leftovers.add(item, &mut self.leaving);
    }

    /// Keeps what is left over up to now.
    pub fn keep_left_over(&mut self) {
        self.leftovers.keep(&mut self.leaving);
    }

    /// The input has ended.
    pub fn end(&mut self) {
        self.leaving.end();
    }

    /// The results of the run; the rejects are `whereabouts`.
    pub fn into_results(mut self, whereabouts: Option<String>) -> (Verdict, Tally) {
        let in_window = self.window.unsettled().count() as u64;
        self.leaving.tally().unconfirmed = self.leftovers.count().max(in_window);
        let verdict = self.leaving.verdict();
        if let Some(whereabouts) = whereabouts {
            verdict.unconfirmed_is(whereabouts.clone());
            verdict.rejections().are(whereabouts);
        }
        let (unknown, unsent) = self.leftovers.into_ranges();
        verdict.take_stock(self.confirmed, unknown, unsent);
        self.leaving.into_results()
    }
}
