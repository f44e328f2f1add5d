//! How far all is safe: what may be reported as done, and what has to wait for that.

use crate::results::action::Action;
use crate::results::step::Passing;
use std::sync::Arc;

/// Nothing is reported that is not safe, and nothing after it in the input.
#[derive(Debug, Default)]
pub struct Frontier {
    /// A record is lost to this run, so that nothing after it is reported as done.
    silenced: bool,
    /// What should be in the rejects may not be there.
    unsafe_rejects: bool,
    /// While a record passes into the rejects, neither it nor what comes after it is safe.
    passing: Option<Passing>,
    /// What is done once that record is whole.
    unreported: Vec<(u64, Option<Arc<str>>)>,
    /// The last record that has left and is done, if that was not reported yet.
    last_left: Option<u64>,
}

impl Frontier {
    /// A record is lost: nothing after it is reported.
    pub fn silence(&mut self) {
        self.silenced = true;
    }

    /// The rejects could not be written: what they should hold is not done.
    pub fn distrust_rejects(&mut self) {
        self.passing = None;
        self.silenced = true;
        self.unsafe_rejects = true;
    }

    /// This record passes into the rejects from now on, or none.
    pub fn pass(&mut self, passing: Option<Passing>) {
        self.passing = passing;
    }

    /// The record that passes into the rejects.
    pub fn passing(&self) -> Option<Passing> {
        self.passing
    }

    /// A record is done, which ends its delivery.
    pub fn done(&mut self, number: u64, delivery: Option<Arc<str>>) -> Option<Action> {
        if self.silenced {
            return None;
        }
        if self.passing.is_some() {
            self.unreported.push((number, delivery));
            return None;
        }
        Some(Action::Acknowledge(number, delivery))
    }

    /// What waited for a record to be whole.
    pub fn take_unreported(&mut self) -> Vec<(u64, Option<Arc<str>>)> {
        std::mem::take(&mut self.unreported)
    }

    /// A record has left.
    pub fn left(&mut self, number: u64) {
        if !self.silenced {
            self.last_left = Some(number);
        }
    }

    /// The last record that has left, if that can be reported and was not yet.
    pub fn take_last_left(&mut self) -> Option<u64> {
        self.last_left.take_if(|_| self.passing.is_none())
    }

    /// All up to a record have left, and the rejects are on the disk, or were to be.
    pub fn done_up_to(&self, number: u64) -> Option<Action> {
        (!self.unsafe_rejects).then_some(Action::DoneUpTo(number))
    }

    /// The end of the record that passes never came; neither it nor what comes after it is done.
    pub fn tear(&mut self) -> Option<Passing> {
        let torn = self.passing.take()?;
        self.unreported.retain(|(number, _)| *number < torn.number);
        self.last_left = self.last_left.map(|last| last.min(torn.number - 1));
        Some(torn)
    }
}
