//! What a flow was given, what was promised, and what came out.

use crate::torture::account::Account;
use crate::torture::line::{Delivery, Line};
use crate::torture::order::displaced;
use crate::torture::shipped::Shipped;
use std::collections::{BTreeSet, HashMap};

/// The ledger of one flow of lines, from the first rmq-send to the last rmq-recv.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Lines given to one run may be sent by another, from a spool.
    spooled: bool,
    /// The senders of a followed log, each generation of which counts as a run.
    shipped: Option<Shipped>,
    next: u32,
    /// Lines that a run was given and neither confirmed nor kept.
    again: BTreeSet<u32>,
    runs: Vec<Run>,
    /// What each pipeline's rmq-send reported as sent again, if it lived to report it.
    pipelines: HashMap<u32, usize>,
    /// By number: whether the line was promised to come out, and how often it has.
    lines: Vec<(bool, u32)>,
    promised: usize,
    out: usize,
    /// Duplicates not marked as redelivered.
    fresh: HashMap<Line, u32>,
    /// By run and pipeline: the lines in order of arrival, the first time and if not marked.
    order: HashMap<(u32, Option<u32>), Vec<u32>>,
    /// By run and pipeline: later, unmarked copies.
    copies: HashMap<(u32, Option<u32>), usize>,
    redelivered: usize,
    torn: usize,
    foreign: Vec<String>,
}

/// A run of the first rmq-send.
#[derive(Clone, Debug, Default)]
struct Run {
    /// The lines that it was given, in ascending order.
    fed: Vec<u32>,
    /// How many messages it reported as sent again, if it lived to report it.
    resent: Option<usize>,
    /// How many of the first lines it certainly read before it was killed; it may have read more,
    /// and of those only a first part comes out, or none.
    read: Option<usize>,
}

impl Ledger {
    /// One for an rmq-send with a spool.
    pub fn spooled() -> Self {
        Ledger { spooled: true, ..Ledger::default() }
    }

    /// One for a log that is followed.
    pub fn followed() -> Self {
        Ledger { shipped: Some(Shipped::default()), ..Ledger::default() }
    }

    /// The senders of a followed log.
    pub fn shipped(&mut self) -> Option<&mut Shipped> {
        self.shipped.as_mut()
    }

    /// Different lines that were given to any run.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// Whether everything that the run was given has come out.
    pub fn is_out(&self, run: u32) -> bool {
        self.runs[run as usize].fed.iter().all(|number| self.lines[*number as usize].1 > 0)
    }

    /// A new run, by its number.
    pub fn begin(&mut self) -> u32 {
        self.runs.push(Run::default());
        self.runs.len() as u32 - 1
    }

    /// A line for the run: one that was given before or, if there is none and `new` allows it, a
    /// new one.
    pub fn feed(&mut self, run: u32, new: bool) -> Option<Line> {
        let number = match self.again.pop_first() {
            Some(number) => number,
            None if new => {
                self.next += 1;
                self.lines.push((false, 0));
                self.next - 1
            }
            None => return None,
        };
        self.runs[run as usize].fed.push(number);
        Some(Line { number, run })
    }

    /// How many lines the run was given.
    pub fn fed(&self, run: u32) -> usize {
        self.runs[run as usize].fed.len()
    }

    /// Whether lines wait to be given to another run.
    pub fn has_again(&self) -> bool {
        !self.again.is_empty()
    }

    /// The line has to come out.
    pub fn promise(&mut self, number: u32) {
        let promised = &mut self.lines[number as usize].0;
        self.promised += usize::from(!*promised);
        *promised = true;
    }

    /// The first `count` lines of the run have to come out, or all that it was given.
    pub fn promise_first(&mut self, run: u32, count: usize) {
        for index in 0..count.min(self.fed(run)) {
            self.promise(self.runs[run as usize].fed[index]);
        }
    }

    /// Among the first `count` lines of the run, those that were not promised.
    pub fn unpromised(&self, run: u32, count: usize) -> BTreeSet<u32> {
        let fed = self.runs[run as usize].fed.iter().take(count).copied();
        fed.filter(|number| !self.lines[*number as usize].0).collect()
    }

    /// The run is over; what is not promised goes to another. What it reported as resent explains
    /// duplicates.
    pub fn end(&mut self, run: u32, resent: Option<usize>) {
        let unpromised = self.unpromised(run, usize::MAX);
        self.again.extend(unpromised);
        self.runs[run as usize].resent = resent;
    }

    /// The run of an rmq-send with a spool was killed after it had kept at least `kept` lines; if
    /// it is `whole`, only a first part of any further lines was kept.
    pub fn end_killed(&mut self, run: u32, kept: usize, whole: bool) {
        self.promise_first(run, kept);
        self.runs[run as usize].read = whole.then_some(kept);
    }

    /// What a pipeline's rmq-send has reported as sent again.
    pub fn end_pipeline(&mut self, pipeline: u32, resent: usize) {
        self.pipelines.insert(pipeline, resent);
    }

    /// A record has come out.
    pub fn receive(&mut self, record: &[u8]) {
        let Some(delivery) = Delivery::read(record) else {
            self.torn += 1;
            return;
        };
        let Delivery { line, redelivered, through } = delivery;
        let run = self.runs.get(line.run as usize);
        if run.is_none_or(|run| run.fed.binary_search(&line.number).is_err()) {
            self.foreign.push(format!("{delivery:?}"));
            return;
        }
        let times = &mut self.lines[line.number as usize].1;
        *times += 1;
        self.out += usize::from(*times == 1);
        if redelivered {
            self.redelivered += 1;
            return;
        }
        if let (Some(shipped), Some(shipper)) = (&mut self.shipped, through) {
            shipped.receive(line, shipper);
            return;
        }
        let fresh = self.fresh.entry(line).or_default();
        *fresh += 1;
        if *fresh == 1 {
            self.order.entry((line.run, through)).or_default().push(line.number);
        } else {
            *self.copies.entry((line.run, through)).or_default() += 1;
        }
    }

    /// The last record of a receiver was incomplete.
    pub fn receive_torn(&mut self) {
        self.torn += 1;
    }

    /// Different lines that have come out.
    pub fn out(&self) -> usize {
        self.out
    }

    /// Lines that have to come out.
    pub fn promised(&self) -> usize {
        self.promised
    }

    /// What the run and the pipeline after it have reported as sent again.
    fn told(&self, (run, pipeline): (u32, Option<u32>)) -> Option<usize> {
        let behind = match pipeline {
            Some(pipeline) => *self.pipelines.get(&pipeline)?,
            None => 0,
        };
        let told = if self.spooled {
            self.runs.iter().map(|run| run.resent).sum::<Option<usize>>()?
        } else {
            self.runs[run as usize].resent?
        };
        Some(told + behind)
    }

    /// The result, once everything has come out that will.
    pub fn account(&self) -> Account {
        let fed: usize = self.runs.iter().map(|run| run.fed.len()).sum();
        let mut account = Account {
            lines: self.lines.len(),
            promised: self.promised,
            out: self.out,
            again: fed - self.lines.len(),
            redelivered: self.redelivered,
            torn: self.torn,
            foreign: self.foreign.clone(),
            ..Account::default()
        };
        for (number, (promised, times)) in self.lines.iter().enumerate() {
            if *promised && *times == 0 {
                account.lost.push(number as u32);
            }
        }
        for run in &self.runs {
            let Some(read) = run.read else { continue };
            let came = |number: &u32| self.lines[*number as usize].1 > 0;
            // The spool contains a first part of what was read.
            let last = run.fed.iter().rposition(came).map_or(0, |last| last + 1).max(read);
            account.unread += run.fed.len() - last;
            let holes = run.fed[read..last].iter().filter(|number| !came(number));
            account.lost.extend(holes);
        }
        account.resent_told = self.runs.iter().filter_map(|run| run.resent).sum::<usize>()
            + self.pipelines.values().sum::<usize>();
        for (key, copies) in &self.copies {
            match self.told(*key) {
                Some(_) => account.resent += copies,
                None => account.untold += copies,
            }
        }
        for (key, order) in &self.order {
            if let Some(told) = self.told(*key) {
                account.disordered += displaced(order).saturating_sub(told);
            }
        }
        if let Some(shipped) = &self.shipped {
            shipped.account(&mut account);
        }
        account
    }
}

#[cfg(test)]
mod tests;
