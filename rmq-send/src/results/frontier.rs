//! Up to which record everything is safe: what may be reported as done, and what has to wait.

use crate::results::action::Action;
use crate::results::step::Passing;
use std::sync::Arc;

/// Reports nothing that is not safe, and nothing after it in the input.
#[derive(Debug, Default)]
pub struct Frontier {
    /// A record is lost to this run, so nothing after it is reported as done.
    silenced: bool,
    /// The rejects may lack what should be in them.
    unsafe_rejects: bool,
    /// A record that is being written to the rejects in parts; it and what comes after are not
    /// safe.
    passing: Option<Passing>,
    /// What can be reported once that record is complete.
    unreported: Vec<(u64, Option<Arc<str>>)>,
    /// The last record that has left and is done, if not reported yet.
    last_left: Option<u64>,
}

impl Frontier {
    /// A record is lost, so nothing after it is reported.
    pub fn silence(&mut self) {
        self.silenced = true;
    }

    /// The rejects could not be written, so what they should hold is not done.
    pub fn distrust_rejects(&mut self) {
        self.passing = None;
        self.silenced = true;
        self.unsafe_rejects = true;
    }

    /// From now on, this record is being written to the rejects in parts, or none is.
    pub fn pass(&mut self, passing: Option<Passing>) {
        self.passing = passing;
    }

    /// The record that is being written to the rejects in parts.
    pub fn passing(&self) -> Option<Passing> {
        self.passing
    }

    /// A record is done, which completes its delivery.
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

    /// What waited for that record to be complete.
    pub fn take_unreported(&mut self) -> Vec<(u64, Option<Arc<str>>)> {
        std::mem::take(&mut self.unreported)
    }

    /// A record has left.
    pub fn left(&mut self, number: u64) {
        if !self.silenced {
            self.last_left = Some(number);
        }
    }

    /// The last record that has left, if it can be reported and was not yet.
    pub fn take_last_left(&mut self) -> Option<u64> {
        self.last_left.take_if(|_| self.passing.is_none())
    }

    /// All records up to this one have left, and the rejects are on disk, or were meant to be.
    pub fn done_up_to(&self, number: u64) -> Option<Action> {
        (!self.unsafe_rejects).then_some(Action::DoneUpTo(number))
    }

    /// The end of the record in parts never came; neither it nor what comes after it is done.
    pub fn tear(&mut self) -> Option<Passing> {
        let torn = self.passing.take()?;
        self.unreported.retain(|(number, _)| *number < torn.number);
        self.last_left = self.last_left.map(|last| last.min(torn.number - 1));
        Some(torn)
    }
}
