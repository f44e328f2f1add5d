//! What becomes of records whose fate is known, in the order of the input.
//!
//! [`Leaving::next`] gives one action at a time; [`Leaving::performed`] takes its outcome before
//! the next is given. No I/O is done here.

use crate::input::positions::Positions;
use crate::record::item::{Bad, Raw, Record};
use crate::results::action::{Action, Duties};
use crate::results::fate::Fate;
use crate::results::frontier::Frontier;
use crate::results::step::{Passing, Performing, Step, Steps};
use crate::results::tally::Tally;
use crate::results::verdict::Verdict;
use bytes::Bytes;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::failure::Failure;
use std::collections::BTreeMap;

/// Decides how records leave.
#[derive(Debug)]
pub struct Leaving {
    duties: Duties,
    positions: Positions,
    diagnostics: Diagnostics,
    verdict: Verdict,
    tally: Tally,
    /// Why records in the window will be kept in the rejects when they leave.
    refused: BTreeMap<u64, Failure>,
    frontier: Frontier,
    steps: Steps,
    performing: Performing,
    ends_input: bool,
}

impl Leaving {
    /// For a run with these duties.
    pub fn new(duties: Duties, positions: Positions, diagnostics: Diagnostics) -> Self {
        Leaving {
            duties,
            positions,
            diagnostics,
            verdict: Verdict::default(),
            tally: Tally::default(),
            refused: BTreeMap::new(),
            frontier: Frontier::default(),
            steps: Steps::default(),
            performing: Performing::Nothing,
            ends_input: false,
        }
    }

    /// Its remaining duties: some may have been given up.
    pub fn duties(&self) -> Duties {
        self.duties
    }

    /// How the run ends, as far as is known.
    pub fn verdict(&mut self) -> &mut Verdict {
        &mut self.verdict
    }

    /// The counts.
    pub fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// Whether to stop reading.
    pub fn ends_input(&self) -> bool {
        self.ends_input
    }

    /// Stops the reading.
    pub fn end_input(&mut self) {
        self.ends_input = true;
    }

    /// Gives up: nothing more is waited for.
    pub fn give_up(&mut self, failure: Failure) {
        self.verdict.give_up(failure);
        // With rejects, the rest of a file is kept as well: a run over the rejects finishes the
        // job.
        self.ends_input |= !self.duties.rejects || !self.duties.finite;
    }

    /// The next action; `None` until something else happens.
    pub fn next(&mut self) -> Option<Action> {
        while let Some(step) = self.steps.next() {
            if let Some(action) = self.action(step) {
                return Some(action);
            }
        }
        None
    }

    fn action(&mut self, step: Step) -> Option<Action> {
        match step {
            Step::Tee(raw) => Some(Action::Tee(raw)),
            Step::Reject(record) => self.reject(record),
            Step::Begin(Bad { number, raw, why }) => {
                let Raw::Begun { bytes, more } = raw else { return None };
                self.performing = Performing::Begin(number, why, more);
                Some(Action::KeepBeginning { number, bytes, more })
            }
            Step::Rest(bytes, more) => {
                if !more {
                    self.steps.first([Step::Sync, Step::Resume]);
                }
                let passing = self.frontier.passing().filter(|_| more);
                self.keep(Action::KeepRest { bytes, more }, passing)
            }
            Step::KeepLeft(raw) | Step::KeepLeftBad(_, Raw::Whole(raw)) => {
                self.keep(Action::Keep(raw), self.frontier.passing())
            }
            Step::KeepLeftBad(number, Raw::Begun { bytes, more }) => {
                let passing = more.then_some(Passing { number, is_counted: false });
                self.keep(Action::KeepBeginning { number, bytes, more }, passing)
            }
            Step::Sync => self.keep(Action::Sync, self.frontier.passing()),
            Step::Resume => {
                let done = self.frontier.take_unreported().into_iter();
                let done = done.map(|(number, delivery)| Step::Done(number, delivery));
                self.steps.first(done.chain([Step::AllLeft]));
                None
            }
            Step::Done(number, delivery) => self.frontier.done(number, delivery),
            Step::Silence => {
                self.frontier.silence();
                None
            }
            Step::Left(number) => {
                self.frontier.left(number);
                None
            }
            Step::AllLeft => {
                let last = self.frontier.take_last_left()?;
                self.steps.first([Step::DoneUpTo(last)]);
                self.keep(Action::Sync, self.frontier.passing())
            }
            Step::DoneUpTo(number) => self.frontier.done_up_to(number),
            Step::EndRejects => {
                self.steps.first([Step::Sync, Step::Resume]);
                let torn = self.frontier.tear()?;
                if torn.is_counted {
                    self.verdict.rejections().take_back();
                    self.tally.rejected = self.tally.rejected.saturating_sub(1);
                }
                Some(Action::TakeBack)
            }
        }
    }

    fn reject(&mut self, record: Record) -> Option<Action> {
        // A record that was not held is in the file already.
        let why = self.refused.remove(&record.number)?;
        if self.duties.rejects {
            self.performing = Performing::Reject(record.number, why);
            return Some(Action::Keep(record.raw));
        }
        self.lose(record.number, why);
        self.frontier.silence();
        None
    }

    fn keep(&mut self, action: Action, passing: Option<Passing>) -> Option<Action> {
        if !self.duties.rejects {
            return None;
        }
        self.performing = Performing::Keep(passing);
        Some(action)
    }

    /// Takes the outcome of the last action; returns the number and fate of a record not held.
    pub fn performed(&mut self, outcome: Result<(), Failure>) -> Option<(u64, Fate)> {
        match (std::mem::replace(&mut self.performing, Performing::Nothing), outcome) {
            (Performing::Nothing, _) => {}
            (Performing::Reject(number, why), Ok(())) => self.rejected(number, why),
            (Performing::Reject(number, why), Err(lost)) => {
                self.lose(number, both(&why, &lost));
                self.frontier.silence();
            }
            (Performing::Begin(number, why, more), Ok(())) => {
                self.frontier.pass(more.then_some(Passing { number, is_counted: true }));
                self.rejected(number, why);
                return Some((number, Fate::Rejected));
            }
            (Performing::Begin(number, why, _), Err(lost)) => {
                self.lose_input(number, both(&why, &lost));
                return Some((number, Fate::Failed));
            }
            (Performing::Keep(passing), Ok(())) => self.frontier.pass(passing),
            (Performing::Keep(_), Err(failure)) => {
                self.fail(failure);
                self.duties.rejects = false;
                self.frontier.distrust_rejects();
            }
        }
        None
    }

    /// A record cannot be sent. Its fate, unless it is not held: then that is decided when what there
    /// is of it is kept.
    pub fn bad(&mut self, bad: Bad) -> Option<(Bytes, Fate)> {
        let Bad { number, raw, why } = bad;
        let why = why.context(self.positions.of(number));
        match raw {
            Raw::Whole(raw) if self.duties.rejects => {
                // It is kept once all before it have left.
                self.refused.insert(number, why);
                Some((raw, Fate::Rejected))
            }
            raw if self.duties.rejects => {
                self.steps.push(Step::Begin(Bad { number, raw, why }));
                None
            }
            // No more is read; what was read is sent.
            _ => {
                self.lose_input(number, why);
                Some((Bytes::new(), Fate::Failed))
            }
        }
    }

    /// More of a record that is not held.
    pub fn rest(&mut self, bytes: Bytes, more: bool) {
        self.steps.push(Step::Rest(bytes, more));
    }

    /// A record failed for good. Without rejects, no more is read, and what was sent is waited for.
    pub fn fail_record(&mut self, number: u64, failure: Failure) -> Fate {
        let why = failure.context(self.positions.of(number));
        if self.duties.rejects {
            self.refused.insert(number, why);
            Fate::Rejected
        } else {
            self.lose(number, why);
            Fate::Failed
        }
    }

    /// Something other than a record failed for good.
    pub fn fail(&mut self, failure: Failure) {
        self.verdict.fail(failure);
        self.ends_input = true;
    }

    /// A record leaves.
    pub fn left(&mut self, record: Record, fate: Fate) {
        self.tally.dropped += u64::from(fate == Fate::Empty);
        self.steps.leave(record, fate, self.duties);
    }

    /// Everything that can leave now has left.
    pub fn all_left(&mut self) {
        if self.duties.kept {
            self.steps.push(Step::AllLeft);
        }
    }

    /// Records that are not confirmed go to the rejects; once safe, they are done.
    pub fn keep_left_over(&mut self, records: Vec<Record>) {
        self.steps.keep_left_over(records, self.duties);
    }

    /// The same for a record that could not have been sent.
    pub fn keep_left_over_bad(&mut self, number: u64, raw: Raw) {
        self.steps.push(Step::KeepLeftBad(number, raw));
    }

    /// The input has ended.
    pub fn end(&mut self) {
        self.steps.push(Step::EndRejects);
    }

    /// How the run went.
    pub fn into_results(self) -> (Verdict, Tally) {
        (self.verdict, self.tally)
    }

    fn lose(&mut self, number: u64, why: Failure) {
        self.verdict.fail_record(number, why);
        self.verdict.failed(number);
        self.ends_input = true;
    }

    fn lose_input(&mut self, number: u64, why: Failure) {
        self.verdict.fail_input(why);
        self.verdict.failed(number);
        self.ends_input = true;
    }

    fn rejected(&mut self, number: u64, why: Failure) {
        self.tally.rejected += 1;
        self.verdict.rejections().add(number, why, self.diagnostics);
    }
}

/// Why a record could not be sent, and why it could not be kept either.
fn both(why: &Failure, lost: &Failure) -> Failure {
    Failure::new(lost.exit(), format!("{why}; and {lost}"))
}
