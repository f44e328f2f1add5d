//! Records that cannot be sent: kept where there is a place for them, else the end of the run.

use crate::fate::Fate;
use crate::record::Bad;
use crate::sender::Sender;
use rmq_common::failure::Failure;

impl Sender {
    /// A record cannot be sent: its place in the window is taken by what becomes of it.
    pub(crate) fn bad(&mut self, bad: Bad) {
        let Bad { number, raw, why } = bad;
        let why = why.context(self.job.positions.of(number));
        let kept = self.job.rejects.as_mut().map(|rejects| rejects.bad(number, &raw));
        let fate = match kept.map(|kept| self.rejected(number, why.clone(), kept)) {
            Some(Ok(fate)) => fate,
            // No more is read; what was read is sent.
            lost => {
                self.verdict.fail_input(lost.and_then(Result::err).unwrap_or(why));
                self.verdict.failed(number);
                self.reader.stop();
                Fate::Failed
            }
        };
        self.window.push_bad(number, fate);
    }

    /// More of a record that is too long to be held.
    pub(crate) fn rest(&mut self, bytes: &[u8], more: bool) {
        let kept = self.job.rejects.as_mut().map(|rejects| rejects.rest(bytes, more));
        self.kept(kept);
        if !more {
            self.passed();
        }
    }

    /// A record failed for good. Without `--rejects` no more is read, and what was sent is waited
    /// for.
    pub(crate) fn fail_record(&mut self, number: u64, failure: Failure) {
        let why = failure.context(self.job.positions.of(number));
        let kept = match (&mut self.job.rejects, self.window.record(number)) {
            (Some(rejects), Some(record)) => Some(rejects.record(&record.raw)),
            _ => None,
        };
        let fate = match kept.map(|kept| self.rejected(number, why.clone(), kept)) {
            Some(Ok(fate)) => fate,
            lost => {
                self.verdict.fail_record(number, lost.and_then(Result::err).unwrap_or(why));
                self.verdict.failed(number);
                self.reader.stop();
                Fate::Failed
            }
        };
        self.window.settle(number, fate);
    }

    /// What becomes of a record that `--rejects` was to keep; or what fails now.
    fn rejected(
        &mut self,
        number: u64,
        why: Failure,
        kept: Result<(), Failure>,
    ) -> Result<Fate, Failure> {
        if let Err(lost) = kept {
            return Err(Failure::new(lost.exit(), format!("{why}; and {lost}")));
        }
        self.tally.rejected += 1;
        self.verdict.rejections().add(number, why, self.diagnostics);
        Ok(Fate::Rejected)
    }
}
