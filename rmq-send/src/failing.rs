//! Records that cannot be sent: kept where there is a place for them, else the end of the run.

use crate::fate::Fate;
use crate::record::item::{Bad, Raw, Record};
use crate::sender::Sender;
use rmq_common::failure::Failure;
use std::sync::Arc;

impl Sender {
    /// A record cannot be sent: its place in the window is taken by what becomes of it.
    pub(crate) fn bad(&mut self, bad: Bad) {
        let Bad { number, raw, why } = bad;
        let why = why.context(self.job.positions.of(number));
        let (raw, fate) = match (&mut self.job.rejects, raw) {
            // It is kept when all before it have left.
            (Some(_), Raw::Whole(raw)) => {
                self.refused.insert(number, why);
                (raw, Fate::Rejected)
            }
            // They have: it is not held.
            (Some(rejects), raw) => {
                let kept = rejects.bad(number, &raw);
                let kept = self.rejected(number, why, kept).map_err(|lost| self.lost_input(lost));
                (Arc::default(), kept.map_or(Fate::Failed, |()| Fate::Rejected))
            }
            // No more is read; what was read is sent.
            (None, _) => {
                self.lost_input(why);
                (Arc::default(), Fate::Failed)
            }
        };
        if fate == Fate::Failed {
            self.verdict.failed(number);
        }
        self.window.push_bad(number, raw, fate);
    }

    fn lost_input(&mut self, why: Failure) {
        self.verdict.fail_input(why);
        self.reader.stop();
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
        if self.job.rejects.is_some() {
            self.refused.insert(number, why);
            self.window.settle(number, Fate::Rejected);
        } else {
            self.lost_record(number, why);
            self.window.settle(number, Fate::Failed);
        }
    }

    /// A record leaves that is to be kept in `--rejects`, in the order of the input. Whether it is there.
    pub(crate) fn reject(&mut self, record: &Record) -> bool {
        let number = record.number;
        // One that is not held passes into the file by itself.
        let Some(why) = self.refused.remove(&number) else { return true };
        let kept = self.job.rejects.as_mut().map(|rejects| rejects.record(&record.raw));
        let lost = match kept {
            Some(kept) => self.rejected(number, why, kept).err(),
            None => Some(why),
        };
        let Some(lost) = lost else { return true };
        self.lost_record(number, lost);
        false
    }

    fn lost_record(&mut self, number: u64, why: Failure) {
        self.verdict.fail_record(number, why);
        self.verdict.failed(number);
        self.reader.stop();
    }

    /// A record was to be kept in `--rejects`: it is, or that is what fails now.
    fn rejected(
        &mut self,
        number: u64,
        why: Failure,
        kept: Result<(), Failure>,
    ) -> Result<(), Failure> {
        if let Err(lost) = kept {
            return Err(Failure::new(lost.exit(), format!("{why}; and {lost}")));
        }
        self.tally.rejected += 1;
        self.verdict.rejections().add(number, why, self.diagnostics);
        Ok(())
    }
}
