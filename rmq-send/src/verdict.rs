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
    given_up: bool,
    signal: Option<i32>,
    partial: usize,
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

    /// A record failed for good. Of several the first in the input is told, in whatever order the
    /// broker answered.
    pub fn fail_record(&mut self, number: u64, failure: Failure) {
        let earlier = match self.failed_record {
            Some(failed) => number < failed,
            None => self.failure.is_none(),
        };
        if earlier {
            self.failed_record = Some(number);
            self.failure = Some(failure.context(format!("line {number}")));
        }
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

    /// A last line had begun and its end had not come.
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
        let stock = self.stock();
        // Unconfirmed records of a run that gave up are what matters then, whatever made it so;
        // a refusal keeps its own status.
        match (self.failure, self.signal) {
            (Some(failure), _) => {
                let exit = match failure.exit() {
                    Exit::Unavailable if !self.unknown.is_empty() || !self.unsent.is_empty() => {
                        Exit::TempFail
                    }
                    exit => exit,
                };
                Err(Failure::new(exit, format!("{failure}{stock}")))
            }
            (None, Some(_)) if self.partial > 0 => {
                let text = format!("stopped by a signal{stock}");
                Err(Failure::new(Exit::TempFail, text))
            }
            (None, Some(signal)) => Ok(Ending::Signal(signal)),
            (None, None) => Ok(Exit::Ok.into()),
        }
    }

    fn stock(&self) -> String {
        let mut text = String::new();
        for (what, ranges) in [
            ("confirmed", &self.confirmed),
            ("sent but not confirmed", &self.unknown),
            ("read but not sent", &self.unsent),
        ] {
            if !ranges.is_empty() {
                text.push_str(&format!("; {what} {ranges}"));
            }
        }
        if self.partial > 0 {
            text.push_str(&format!("; {} bytes of a line without its end not sent", self.partial));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_exactly_which_records_are_confirmed() {
        let mut verdict = Verdict::default();
        verdict.fail_record(18, Failure::data("publish to jobs: no such queue"));
        verdict.fail_record(17, Failure::data("publish to jobs: no such queue"));
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
