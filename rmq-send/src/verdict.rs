//! How a run ended: what failed first, and exactly which records are not confirmed.

use crate::ranges::Ranges;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;

/// The end of a run, as it takes shape.
#[derive(Debug, Default)]
pub struct Verdict {
    failure: Option<Failure>,
    /// The record that `failure` is about.
    failed_record: Option<u64>,
    /// Why the input ended before its end.
    input: Option<Failure>,
    given_up: bool,
    signal: Option<i32>,
    partial: usize,
    /// How many records were rejected, the first of them, and the worst status among them.
    rejected: u64,
    first_rejected: Option<(u64, Failure)>,
    worst: Option<Exit>,
    kept_in: Option<String>,
    confirmed: Ranges,
    unknown: Ranges,
    unsent: Ranges,
}

impl Verdict {
    /// Something failed for good; what is outstanding is still waited for. The first failure is
    /// the one that is told.
    pub fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    /// The record `number` failed for good. Of several the first in the input is told, in whatever
    /// order the broker answered.
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

    /// The input ended before its end. What was read before is sent all the same.
    pub fn fail_input(&mut self, failure: Failure) {
        self.input.get_or_insert(failure);
    }

    /// The record `number` failed for good and is kept in `--rejects`; the run goes on.
    pub fn reject_record(&mut self, number: u64, failure: Failure) {
        self.rejected += 1;
        self.worst = Some(self.worst.map_or(failure.exit(), |exit| worse(exit, failure.exit())));
        if self.first_rejected.as_ref().is_none_or(|(first, _)| number < *first) {
            self.first_rejected = Some((number, failure));
        }
    }

    /// How many records were rejected.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// What was rejected, and what is unconfirmed, is in this file.
    pub fn kept_in(&mut self, name: &str) {
        self.kept_in = Some(name.to_owned());
    }

    /// Nothing is waited for any more.
    pub fn give_up(&mut self, failure: Failure) {
        self.fail(failure);
        self.given_up = true;
    }

    /// A signal asked for the end.
    pub fn signalled(&mut self, signal: i32) {
        self.signal = Some(signal);
    }

    /// A last record had begun and its end had not come.
    pub fn partial(&mut self, bytes: usize) {
        self.partial = bytes;
    }

    /// Whether anything has failed.
    pub fn is_failure(&self) -> bool {
        self.failure.is_some()
    }

    /// Whether nothing is waited for any more.
    pub fn has_given_up(&self) -> bool {
        self.given_up
    }

    /// What was confirmed, what was sent without it, and what was read and never sent.
    pub fn take_stock(&mut self, confirmed: Ranges, unknown: Ranges, unsent: Ranges) {
        self.confirmed = confirmed;
        self.unknown = unknown;
        self.unsent = unsent;
    }

    /// The outcome of the run.
    ///
    /// # Errors
    /// The first failure, with the records it leaves unconfirmed; or 75 where a signal ended it and
    /// something that was read is not confirmed.
    pub fn outcome(self) -> Result<Ending, Failure> {
        let unconfirmed = !self.unknown.is_empty() || !self.unsent.is_empty();
        // Unconfirmed records of a run that gave up are what matters then, whatever made it so;
        // a refusal keeps its own status.
        // Where everything else is confirmed, the rejects say what is not.
        let accounts = unconfirmed || self.failure.is_some() || self.input.is_some();
        let stock = self.stock(accounts || self.partial > 0);
        let exits = [&self.failure, &self.input].into_iter().flatten().map(Failure::exit);
        let worst = exits.chain(self.worst).reduce(worse);
        let (exit, told) = match (self.failure.or(self.input), self.first_rejected) {
            (Some(failure), _) => match failure.exit() {
                Exit::Unavailable if unconfirmed => (Exit::TempFail, failure.to_string()),
                exit => (exit, failure.to_string()),
            },
            (None, Some((_, first))) => {
                let exit = if unconfirmed { Exit::TempFail } else { first.exit() };
                (exit, first.to_string())
            }
            (None, None) => match self.signal {
                Some(_) if self.partial > 0 => (Exit::TempFail, "stopped by a signal".to_owned()),
                Some(signal) => return Ok(Ending::Signal(signal)),
                None => return Ok(Exit::Ok.into()),
            },
        };
        let exit =
            worst.filter(|worst| *worst != Exit::Unavailable).map_or(exit, |w| worse(exit, w));
        Err(Failure::new(exit, format!("{told}{stock}")))
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
        if self.partial > 0 {
            let bytes = self.partial;
            text.push_str(&format!("; {bytes} bytes of a record without its end not sent"));
        }
        if let (1.., Some(name)) = (self.rejected, &self.kept_in) {
            let records = if self.rejected == 1 { "record" } else { "records" };
            text.push_str(&format!("; {} {records} rejected", self.rejected));
            text.push_str(&format!(", kept in {name}"));
        } else if let Some(name) = self.kept_in.as_ref().filter(|_| unconfirmed) {
            text.push_str(&format!("; what is not confirmed is kept in {name}"));
        }
        text
    }
}

/// Of two statuses the one that says more: the higher number.
fn worse(one: Exit, other: Exit) -> Exit {
    if one.status() >= other.status() { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_exactly_which_records_are_confirmed() {
        let mut verdict = Verdict::default();
        verdict.fail_record(18, Failure::data("line 18: publish to jobs: no such queue"));
        verdict.fail_record(17, Failure::data("line 17: publish to jobs: no such queue"));
        verdict.fail(Failure::data("something else"));
        verdict.take_stock((1..=16).collect(), [18].into_iter().collect(), (19..=20).collect());
        let failure = verdict.outcome().unwrap_err();
        assert_eq!(
            failure.to_string(),
            "line 17: publish to jobs: no such queue; confirmed 1-16; sent but not confirmed 18; \
             read but not sent 19-20"
        );
        assert_eq!(failure.exit(), Exit::DataErr);
    }

    #[test]
    fn what_was_rejected_is_told_with_its_first_record_and_the_worst_status() {
        let mut verdict = Verdict::default();
        verdict.reject_record(9, Failure::new(Exit::NoPerm, "line 9: refused"));
        verdict.reject_record(2, Failure::data("line 2: no such queue"));
        verdict.kept_in("bad");
        let failure = verdict.outcome().unwrap_err();
        assert_eq!(failure.to_string(), "line 2: no such queue; 2 records rejected, kept in bad");
        assert_eq!(failure.exit(), Exit::NoPerm);
    }

    #[test]
    fn an_input_that_fails_is_told_and_does_not_stop_what_was_read() {
        let mut verdict = Verdict::default();
        verdict.fail_input(Failure::data("line 3: no separator"));
        assert!(!verdict.is_failure());
        assert_eq!(verdict.outcome().unwrap_err().to_string(), "line 3: no separator");
    }

    #[test]
    fn a_signal_ends_by_itself_only_when_nothing_is_left_unconfirmed() {
        let mut verdict = Verdict::default();
        verdict.signalled(15);
        assert_eq!(verdict.outcome().unwrap(), Ending::Signal(15));
        let mut verdict = Verdict::default();
        verdict.signalled(15);
        verdict.partial(3);
        let failure = verdict.outcome().unwrap_err();
        assert_eq!(failure.exit(), Exit::TempFail);
        assert!(failure.to_string().contains("3 bytes"), "{failure}");
    }

    #[test]
    fn no_broker_any_more_is_a_temporary_failure_once_something_was_read() {
        let mut verdict = Verdict::default();
        verdict.give_up(Failure::new(Exit::Unavailable, "connect to h:5672: refused"));
        verdict.take_stock(Ranges::default(), [1].into_iter().collect(), Ranges::default());
        assert_eq!(verdict.outcome().unwrap_err().exit(), Exit::TempFail);
    }
}
