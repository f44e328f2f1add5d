//! The steps in which records leave.

use crate::record::item::{Bad, Raw, Record};
use crate::results::action::Duties;
use crate::results::fate::Fate;
use bytes::Bytes;
use rmq_common::failure::Failure;
use std::collections::VecDeque;
use std::sync::Arc;

/// What has to be done in its turn. Whether it is still needed is decided then.
#[derive(Debug)]
pub enum Step {
    Tee(Bytes),
    /// A record that cannot be sent leaves the window.
    Reject(Record),
    /// A record is too long to be held.
    Begin(Bad),
    Rest(Bytes, bool),
    /// A record that is left over at the end.
    KeepLeft(Bytes),
    KeepLeftBad(u64, Raw),
    Done(u64, Option<Arc<str>>),
    Left(u64),
    AllLeft,
    DoneUpTo(u64),
    Sync,
    /// What waited for a record to be complete is done, if it is.
    Resume,
    /// A record leaves without being kept anywhere.
    Silence,
    EndRejects,
}

/// The steps to come, in order.
#[derive(Debug, Default)]
pub struct Steps(VecDeque<Step>);

impl Steps {
    /// Takes the next one.
    pub fn next(&mut self) -> Option<Step> {
        self.0.pop_front()
    }

    /// Adds one after all others.
    pub fn push(&mut self, step: Step) {
        self.0.push_back(step);
    }

    /// Puts these first.
    pub fn first(&mut self, steps: impl IntoIterator<Item = Step, IntoIter: DoubleEndedIterator>) {
        steps.into_iter().rev().for_each(|step| self.0.push_front(step));
    }

    /// Adds the steps in which a record leaves.
    pub fn leave(&mut self, record: Record, fate: Fate, duties: Duties) {
        let number = record.number;
        let delivery = record.delivery.clone();
        match fate {
            Fate::Confirmed if duties.tee => self.push(Step::Tee(record.raw)),
            Fate::Confirmed | Fate::Empty => {}
            Fate::Rejected => {
                self.push(Step::Reject(record));
                // Reported only once it is safe.
                if duties.acknowledges {
                    self.push(Step::Sync);
                }
            }
            Fate::Failed => self.push(Step::Silence),
        }
        if duties.acknowledges {
            self.push(Step::Done(number, delivery));
        }
        if duties.kept {
            self.push(Step::Left(number));
        }
    }

    /// Adds the steps that keep records left over at the end; they are done once they are safe.
    pub fn keep_left_over(&mut self, records: Vec<Record>, duties: Duties) {
        if records.is_empty() {
            return;
        }
        if !duties.rejects {
            self.push(Step::Silence);
            return;
        }
        for record in &records {
            self.push(Step::KeepLeft(record.raw.clone()));
        }
        if duties.acknowledges {
            self.push(Step::Sync);
            for Record { number, delivery, .. } in records {
                self.push(Step::Done(number, delivery));
            }
        }
    }
}

/// The action whose outcome is awaited.
#[derive(Debug)]
pub enum Performing {
    /// One that cannot fail.
    Nothing,
    Reject(u64, Failure),
    Begin(u64, Failure, bool),
    /// Something else is written to the rejects, after which this record is still in progress.
    Keep(Option<Passing>),
}

/// A record that is written to the rejects without being held.
#[derive(Clone, Copy, Debug)]
pub struct Passing {
    pub number: u64,
    /// It is counted as rejected, and not among those left over at the end.
    pub is_counted: bool,
}
