//! What happens with records whose fate is known, and with those that a run leaves.

use crate::fate::Fate;
use crate::record::item::{Bad, Item, Record};
use crate::recovery::unless_stopped;
use crate::results::ranges::Ranges;
use crate::results::rejects::Rejects;
use crate::results::tally::Tally;
use crate::results::verdict::Verdict;
use crate::sender::Sender;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::sync::Arc;
use std::time::Duration;

impl Sender {
    /// Records whose fate is known leave the window, in the order of the input. Whether any did.
    pub(crate) fn leave(&mut self) -> bool {
        let before = self.window.len();
        let mut last = None;
        while let Some((record, fate)) = self.window.leave() {
            let number = record.number;
            self.left(record, fate);
            last = (!self.silenced).then_some(number).or(last);
        }
        self.done_in_spool(last);
        if let Some(tee) = &mut self.job.tee {
            tee.flush();
        }
        self.job.progress.set(self.tally.confirmed);
        self.window.len() < before
    }

    fn left(&mut self, record: Record, fate: Fate) {
        match fate {
            Fate::Confirmed => {
                if let Some(tee) = &mut self.job.tee {
                    tee.confirmed(&record.raw);
                }
            }
            Fate::Empty => self.tally.dropped += 1,
            Fate::Rejected => {
                if !self.reject(&record) {
                    self.silenced = true;
                }
                // Told only once it is safe.
                if self.job.acknowledger.is_some() {
                    self.sync_rejects();
                }
            }
            Fate::Failed => self.silenced = true,
        }
        self.done(record.number, record.delivery);
    }

    fn done(&mut self, number: u64, delivery: Option<Arc<str>>) {
        let Some(acknowledger) = self.job.acknowledger.as_ref().filter(|_| !self.silenced) else {
            return;
        };
        // While a record passes into the rejects, neither it nor what waits behind it is safe.
        if self.job.rejects.as_ref().is_some_and(Rejects::is_passing) {
            self.untold.push((number, delivery));
        } else {
            acknowledger.done(number, delivery);
        }
    }

    /// What is to be in the rejects is there, but for a record whose end never came: that one is not
    /// kept, nor is it done.
    fn end_rejects(&mut self) {
        if let Some(torn) = self.job.rejects.as_mut().and_then(Rejects::end) {
            self.untold.retain(|(number, _)| *number < torn);
            self.verdict.rejections().take_back();
            self.tally.rejected = self.tally.rejected.saturating_sub(1);
        }
        self.passed();
    }

    /// A record that passed into the rejects is wholly there.
    pub(crate) fn passed(&mut self) {
        self.sync_rejects();
        for (number, delivery) in std::mem::take(&mut self.untold) {
            self.done(number, delivery);
        }
    }

    /// The records up to `number` need not be in the spool any more.
    fn done_in_spool(&mut self, number: Option<u64>) {
        let (Some(number), true) = (number, self.job.spooled.is_some()) else { return };
        self.sync_rejects();
        if let Some(spooled) = self.job.spooled.as_ref().filter(|_| !self.silenced) {
            spooled.done.done(spooled.sequences.of(number));
        }
    }

    /// Closes, keeps what was not confirmed, and takes stock of it.
    pub(crate) async fn finish(mut self) -> (Verdict, Tally) {
        self.leave();
        if self.job.spooled.is_some() {
            self.tally.unknown = self.window.unknown().count() as u64;
            self.leave_spool().await;
            self.end().await;
            return (self.verdict, self.tally);
        }
        let unknown: Ranges = self.window.unknown().collect();
        self.tally.unknown = self.window.unknown().count() as u64;
        let mut unsent: Ranges = self.window.unsent().collect();
        let mut left = Vec::new();
        while let Some((record, fate)) = self.window.evict() {
            match fate {
                Some(fate) => {
                    self.keep(&mut left);
                    self.left(record, fate);
                }
                None => left.push(record),
            }
        }
        self.keep(&mut left);
        // The reader was told to stop, or comes to an end by itself: this ends, and finds what it
        // had read already.
        loop {
            let items: Vec<Item> = self.read.drain(..).collect();
            for item in items {
                match item {
                    Item::Record(record) => {
                        unsent.insert(record.number);
                        left.push(record);
                    }
                    Item::Bad(bad) => {
                        self.keep(&mut left);
                        unsent.insert(bad.number);
                        let Bad { number, raw, .. } = bad;
                        let rejects = self.job.rejects.as_mut();
                        let kept = rejects.map(|rejects| rejects.bad(number, &raw));
                        self.kept(kept);
                    }
                    Item::Rest { bytes, more } => self.rest(&bytes, more),
                }
            }
            self.keep(&mut left);
            if self.input_over {
                break;
            }
            let input = self.reader.next().await;
            self.input(input);
        }
        self.end_rejects();
        if let Some(rejects) = &self.job.rejects {
            self.verdict.unconfirmed_is(rejects.whereabouts());
            self.verdict.rejections().are(rejects.whereabouts());
        }
        self.verdict.take_stock(std::mem::take(&mut self.confirmed), unknown, unsent);
        self.end().await;
        (self.verdict, self.tally)
    }

    /// Ends the connection, and waits for those who are told of what is confirmed.
    async fn end(&mut self) {
        match self.link.take() {
            // It would not write its close either.
            Some(link) if self.watch.is_blocked() => link.cut(),
            Some(link) => link.close().await,
            None => {}
        }
        // Whoever reads may have stopped to: a signal ends the wait for them.
        let (tee, acknowledger) = (self.job.tee.take(), self.job.acknowledger.take());
        let told = async {
            let teed = match tee {
                Some(tee) => tee.finish().await,
                None => Ok(()),
            };
            let acknowledged = match acknowledger {
                Some(acknowledger) => acknowledger.finish().await,
                None => Ok(()),
            };
            teed.and(acknowledged)
        };
        let told = unless_stopped(&self.signals, self.deadline, Duration::ZERO, told).await;
        match told {
            (Some(Ok(())), _) => {}
            (Some(Err(failure)), _) => self.verdict.fail(failure),
            (None, signal) => {
                if let Some(signal) = signal {
                    self.verdict.signalled(signal);
                }
                let text = "stopped by a signal before everything confirmed was told";
                self.verdict.fail(Failure::new(Exit::TempFail, text));
            }
        }
    }

    /// Records that are not confirmed go to `--rejects`; once they are safe they are done.
    fn keep(&mut self, left: &mut Vec<Record>) {
        for record in left.iter() {
            let kept = self.job.rejects.as_mut().map(|rejects| rejects.record(&record.raw));
            self.kept(kept);
        }
        if self.job.rejects.is_some() && self.job.acknowledger.is_some() && !left.is_empty() {
            self.sync_rejects();
        }
        let safe = self.job.rejects.is_some();
        for record in left.drain(..) {
            if safe {
                self.done(record.number, record.delivery);
            } else {
                self.silenced = true;
            }
        }
    }

    /// Takes in whether something is in the rejects.
    pub(crate) fn kept(&mut self, kept: Option<Result<(), Failure>>) {
        if let Some(Err(failure)) = kept {
            self.fail(failure);
            // What is not safe is not done.
            self.job.rejects = None;
            self.silenced = true;
        }
    }

    fn sync_rejects(&mut self) {
        let synced = self.job.rejects.as_mut().map(|rejects| rejects.sync());
        self.kept(synced);
    }
}
