//! How a run ended: what failed first, and exactly which records are not confirmed.

use crate::input::reader::End;
use crate::results::ranges::Ranges;
use crate::results::rejected_summary::RejectedSummary;
use rmq_common::count::counted;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;

/// The outcome of a run, as it takes shape.
#[derive(Debug, Default)]
pub struct Verdict {
    failure: Option<Failure>,
    /// The record that `failure` is about.
    failed_record: Option<u64>,
    /// Why reading stopped before the end of the input.
    input: Option<Failure>,
    given_up: bool,
    handed_over: bool,
    signal: Option<i32>,
    partial: usize,
    rejections: RejectedSummary,
    input_rejections: RejectedSummary,
    /// Where unconfirmed records are: `kept in bad`.
    whereabouts: Option<String>,
    spool: Option<Kept>,
    files: Option<Files>,
    /// Records read for which the spool had no room.
    unkept: u64,
    /// Records that failed and are not kept anywhere.
    failed: Ranges,
    /// A signal ended the run with something unconfirmed.
    cut_short: bool,
    confirmed: Ranges,
    unknown: Ranges,
    unsent: Ranges,
}

/// What followed files keep.
#[derive(Debug)]
struct Files {
    /// The positions file.
    positions: Option<String>,
    bytes: u64,
    records: u64,
}

/// What a spool keeps.
#[derive(Debug)]
struct Kept {
    directory: String,
    kept: u64,
    in_memory: u64,
}

impl Verdict {
    /// Something failed for good; what is outstanding is still awaited. The first failure is
    /// reported.
    pub fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    /// The record `number` failed for good. Of several, the first in the input is reported,
    /// whatever the order of the broker's answers.
    pub fn fail_record(&mut self, number: u64, failure: Failure) {
        let earlier = match self.failed_record {
            Some(failed) => number < failed,
            None => self.failure.is_none(),
        };
        if earlier {
            self.failed_record = Some(number);
            self.failure = Some(failure);
        }
    }

    /// Reading stopped before the end of the input. What was read before is still sent.
    pub fn fail_input(&mut self, failure: Failure) {
        self.input.get_or_insert(failure);
    }

    /// The records that failed for good and are kept; the run continues.
    pub fn rejections(&mut self) -> &mut RejectedSummary {
        &mut self.rejections
    }

    /// Those that never reached the spool.
    pub fn reject_input(&mut self, rejections: RejectedSummary) {
        self.input_rejections = rejections;
    }

    /// The spool had no room for this number of records that were read.
    pub fn unkept(&mut self, records: u64) {
        self.unkept = records;
    }

    /// The record `number` failed and is not kept anywhere.
    pub fn failed(&mut self, number: u64) {
        self.failed.insert(number);
    }

    /// Sets where unconfirmed records are: `kept in bad`.
    pub fn unconfirmed_is(&mut self, whereabouts: String) {
        self.whereabouts = Some(whereabouts);
    }

    /// Unconfirmed records are in the spool in `directory`, except those `in_memory`.
    pub fn spool_keeps(&mut self, directory: &str, kept: u64, in_memory: u64) {
        self.spool = Some(Kept { directory: directory.to_owned(), kept, in_memory });
    }

    /// Unconfirmed bytes of followed files, and records read from them; `positions` says which.
    pub fn files_keep(&mut self, positions: Option<String>, bytes: u64, records: u64) {
        self.files = Some(Files { positions, bytes, records });
    }

    /// A signal ended the run before everything was confirmed. If nothing turns out to be
    /// unconfirmed, only the signal is reported.
    pub fn give_up_for_the_signal(&mut self) {
        self.cut_short = true;
        self.given_up = true;
    }

    /// Nothing more is waited for.
    pub fn give_up(&mut self, failure: Failure) {
        self.fail(failure);
        self.given_up = true;
    }

    /// Nothing more is waited for, which is not a failure by itself.
    pub fn stop(&mut self) {
        self.given_up = true;
    }

    /// Unconfirmed records are left to another rmq-send.
    pub fn handed_over(&mut self) {
        self.handed_over = true;
    }

    /// A signal requested the end.
    pub fn signalled(&mut self, signal: i32) {
        self.signal = Some(signal);
    }

    /// How reading ended.
    pub fn input_ended(&mut self, end: End) {
        match end {
            End::Finished | End::Stopped { partial: 0 } => {}
            End::Stopped { partial } => self.partial(partial),
            End::Failed(failure) => self.fail_input(failure),
        }
    }

    /// A last record had begun, but its end had not come.
    pub fn partial(&mut self, bytes: usize) {
        self.partial = bytes;
    }

    /// Whether anything has failed.
    pub fn is_failure(&self) -> bool {
        self.failure.is_some()
    }

    /// Whether nothing more is waited for.
    pub fn has_given_up(&self) -> bool {
        self.given_up
    }

    /// Sets what was confirmed, what was sent without a confirm, and what was read and never sent.
    pub fn take_stock(&mut self, confirmed: Ranges, unknown: Ranges, unsent: Ranges) {
        self.confirmed = confirmed;
        self.unknown = unknown;
        self.unsent = unsent;
    }

    /// The outcome of the run.
    ///
    /// # Errors
    /// The first failure, with the records it leaves unconfirmed; or 75 if a signal ended the run
    /// and something that was read is not confirmed.
    pub fn outcome(self) -> Result<Ending, Failure> {
        let spooled = self.unkept > 0
            || self.spool.as_ref().is_some_and(|spool| spool.kept + spool.in_memory > 0);
        let in_files = self.files.as_ref().is_some_and(|files| files.records > 0);
        let unconfirmed =
            spooled || in_files || !self.unknown.is_empty() || !self.unsent.is_empty();
        // If everything else is confirmed, the rejects say what is not.
        let accounts = unconfirmed || self.failure.is_some() || self.input.is_some();
        let stock = self.stock(accounts || self.partial > 0);
        let exits = [&self.failure, &self.input].into_iter().flatten().map(Failure::exit);
        let rejected = [&self.rejections, &self.input_rejections];
        let torn = self.signal.filter(|_| self.partial > 0).map(|_| Exit::TempFail);
        let exits = exits.chain(torn);
        let worst = exits.chain(rejected.iter().filter_map(|them| them.worst())).max();
        let first_rejected = rejected.iter().find_map(|them| them.first());
        // If the run gave up, its unconfirmed records matter most; a refusal keeps its own status.
        let (exit, text) = match (self.failure.as_ref().or(self.input.as_ref()), first_rejected) {
            _ if self.cut_short && unconfirmed => {
                let text = "stopped by a signal before everything was confirmed";
                (Exit::TempFail, text.to_owned())
            }
            (Some(failure), _) => match failure.exit() {
                Exit::Unavailable if unconfirmed => (Exit::TempFail, failure.to_string()),
                exit => (exit, failure.to_string()),
            },
            (None, Some(first)) => {
                let exit = if unconfirmed { Exit::TempFail } else { first.exit() };
                (exit, first.to_string())
            }
            (None, None) => match self.signal {
                Some(_) if self.partial > 0 || unconfirmed => {
                    (Exit::TempFail, "stopped by a signal".to_owned())
                }
                Some(signal) => return Ok(Ending::Signal(signal)),
                None if unconfirmed && self.handed_over => {
                    let text = "the rest is left to the rmq-send that waits for the spool";
                    (Exit::TempFail, text.to_owned())
                }
                None if unconfirmed => (Exit::TempFail, "not everything was sent".to_owned()),
                None => return Ok(Exit::Ok.into()),
            },
        };
        let worst = worst.filter(|worst| *worst != Exit::Unavailable);
        Err(Failure::new(worst.map_or(exit, |worst| worst.max(exit)), format!("{text}{stock}")))
    }

    fn stock(&self, accounts: bool) -> String {
        let mut text = String::new();
        let unconfirmed = !self.unknown.is_empty() || !self.unsent.is_empty();
        for (what, ranges) in [
            ("confirmed", &self.confirmed),
            ("sent but not confirmed", &self.unknown),
            ("read but not sent", &self.unsent),
        ] {
            if accounts && !ranges.is_empty() {
                text.push_str(&format!("; {what} {ranges}"));
            }
        }
        if self.failed.is_many() {
            text.push_str(&format!("; failed {}", self.failed));
        }
        if self.unkept > 0 {
            let unkept = self.unkept;
            text.push_str(&format!("; the last {unkept} records read found no room and are lost"));
        }
        if self.partial > 0 {
            let bytes = self.partial;
            text.push_str(&format!("; {bytes} bytes of an incomplete record not sent"));
        }
        if let Some(Kept { directory, kept, in_memory }) = &self.spool {
            if *kept > 0 {
                let are = if *kept == 1 { "record is" } else { "records are" };
                text.push_str(&format!("; {kept} {are} in the spool {directory}"));
            }
            if *in_memory > 0 {
                let lost = format!("; not kept for want of room: {in_memory}");
                text.push_str(&lost);
            }
        }
        if let Some(Files { positions, bytes: bytes @ 1.., records }) = &self.files
            && (accounts || *records > 0)
        {
            let bytes = counted(*bytes, "byte");
            text.push_str(&match positions {
                Some(name) => format!("; {bytes} not confirmed (positions {name})"),
                None => format!("; {bytes} not confirmed"),
            });
        }
        text.push_str(&self.input_rejections.shown());
        text.push_str(&self.rejections.shown());
        if let Some(whereabouts) = self.whereabouts.as_ref().filter(|_| unconfirmed) {
            text.push_str(&format!("; what is not confirmed is {whereabouts}"));
        }
        text
    }
}

#[cfg(test)]
mod tests;
