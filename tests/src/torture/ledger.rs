//! What was given to a flow, what was promised of it, and what came out.

use crate::torture::account::Account;
use crate::torture::line::{Delivery, Line};
use crate::torture::order::displaced;
use crate::torture::shipped::Shipped;
use std::collections::{BTreeSet, HashMap};

/// The account of one flow of lines, from the first rmq-send to the last rmq-recv.
#[derive(Debug, Default)]
pub struct Ledger {
    /// What one run was given another may send, from a spool.
    spooled: bool,
    /// Who sent the lines of a followed log, each generation of which counts as a run.
    shipped: Option<Shipped>,
    next: u32,
    /// Lines that a run was given and neither confirmed nor kept.
    again: BTreeSet<u32>,
    runs: Vec<Run>,
    /// What each pipeline's rmq-send said that it sent again, where it lived to say so.
    pipelines: HashMap<u32, usize>,
    /// By number: whether the line was promised to come out, and how often it has.
    lines: Vec<(bool, u32)>,
    promised: usize,
    out: usize,
    /// Copies not marked redelivered.
    fresh: HashMap<Line, u32>,
    /// By run and pipeline, the lines that came, the first time and not marked, as they came.
    order: HashMap<(u32, Option<u32>), Vec<u32>>,
    /// By run and pipeline, copies that were neither the first nor marked.
    copies: HashMap<(u32, Option<u32>), usize>,
    redelivered: usize,
    torn: usize,
    foreign: Vec<String>,
}

/// A run of the first rmq-send.
#[derive(Clone, Debug, Default)]
struct Run {
    /// The lines that it was given, which rise.
    fed: Vec<u32>,
    /// How many messages it said that it sent again, where it lived to say so.
    resent: Option<usize>,
    /// So many of the first lines were read for certain before it was killed, and so many more
    /// may have been: of those the first come out or none.
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

    /// Who sent the lines of a followed log.
    pub fn shipped(&mut self) -> Option<&mut Shipped> {
        self.shipped.as_mut()
    }

    /// Different lines that were given to any run.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// Whether all that the run was given has come out.
    pub fn is_out(&self, run: u32) -> bool {
        self.runs[run as usize].fed.iter().all(|number| self.lines[*number as usize].1 > 0)
    }

    /// A new run, by its number.
    pub fn begin(&mut self) -> u32 {
        self.runs.push(Run::default());
        self.runs.len() as u32 - 1
    }

    /// A line for the run: one that another was given before, or where there is none and `new`
    /// says so, a new one.
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

    /// The first `count` lines of the run have to come out, or all that the run was given.
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

    /// The run is over; what it was given and is not promised goes to another. What it has told
    /// that it sent again explains copies.
    pub fn end(&mut self, run: u32, resent: Option<usize>) {
        let unpromised = self.unpromised(run, usize::MAX);
        self.again.extend(unpromised);
        self.runs[run as usize].resent = resent;
    }

    /// The run of an rmq-send with a spool was killed, when it had kept at least `kept` lines; where
    /// it is `whole`, of more a beginning and nothing else.
    pub fn end_killed(&mut self, run: u32, kept: usize, whole: bool) {
        self.promise_first(run, kept);
        self.runs[run as usize].read = whole.then_some(kept);
    }

    /// What a pipeline's rmq-send has told that it sent again.
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

    /// A piece of a record was the last that a receiver wrote.
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

    /// What the run and the pipeline behind it have told that they sent again.
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

    /// What it comes to, once everything has come out that will.
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
            // What is in the spool is a beginning of what was read.
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
