//! Where records go when they leave: `--rejects`, `--tee` and `--ack-to`.

use crate::record::item::Raw;
use crate::results::ack_to::Acknowledger;
use crate::results::action::Action;
use crate::results::rejects::Rejects;
use crate::results::tee::Tee;
use rmq_common::failure::Failure;
use std::future::pending;

/// The places that this run has.
#[derive(Debug, Default)]
pub struct Places {
    rejects: Option<Rejects>,
    tee: Option<Tee>,
    acknowledger: Option<Acknowledger>,
}

impl Places {
    pub fn new(
        rejects: Option<Rejects>,
        tee: Option<Tee>,
        acknowledger: Option<Acknowledger>,
    ) -> Self {
        Places { rejects, tee, acknowledger }
    }

    /// Whether there are rejects, a tee, and a reader of what is done.
    pub fn kinds(&self) -> (bool, bool, bool) {
        (self.rejects.is_some(), self.tee.is_some(), self.acknowledger.is_some())
    }

    /// Performs an action.
    pub fn perform(&mut self, action: Action) -> Result<(), Failure> {
        let Places { rejects, tee, acknowledger } = self;
        match action {
            Action::Tee(raw) => {
                if let Some(tee) = tee {
                    tee.confirmed(&raw);
                }
            }
            Action::Acknowledge(number, delivery) => {
                if let Some(acknowledger) = acknowledger {
                    acknowledger.done(number, delivery);
                }
            }
            Action::DoneUpTo(_) => {}
            rejected => {
                let Some(rejects) = rejects else { return Ok(()) };
                return write(rejects, rejected);
            }
        }
        Ok(())
    }

    /// Stops using the rejects.
    pub fn drop_rejects(&mut self) {
        self.rejects = None;
    }

    /// Where the rejects are: `kept in bad`.
    pub fn whereabouts(&self) -> Option<String> {
        self.rejects.as_ref().map(Rejects::whereabouts)
    }

    /// Hands over what was confirmed.
    pub fn flush(&mut self) {
        if let Some(tee) = &mut self.tee {
            tee.flush();
        }
    }

    /// Whether more may be sent: what cannot be reported yet must be held.
    pub fn has_room(&self) -> bool {
        self.tee.as_ref().is_none_or(Tee::has_room)
            && self.acknowledger.as_ref().is_none_or(Acknowledger::has_room)
    }

    /// What is waited for while there is no room.
    pub fn waits_for(&self) -> Option<&'static str> {
        if self.tee.as_ref().is_some_and(|tee| !tee.has_room()) {
            return Some("standard output (--tee) is not read; waiting for its reader");
        }
        let is_full = self.acknowledger.as_ref().is_some_and(|it| !it.has_room());
        is_full.then_some("the FIFO of --ack-to is not read; waiting for its reader")
    }

    /// Waits until there may be room again; forever if there is room.
    pub async fn moved(&mut self) {
        match (&mut self.tee, &self.acknowledger) {
            (Some(tee), _) if !tee.has_room() => tee.moved().await,
            (_, Some(acknowledger)) if !acknowledger.has_room() => acknowledger.moved().await,
            _ => pending().await,
        }
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// Standard output or the FIFO could not be written (74).
    pub async fn finish(&mut self) -> Result<(), Failure> {
        let (tee, acknowledger) = (self.tee.take(), self.acknowledger.take());
        let teed = match tee {
            Some(tee) => tee.finish().await,
            None => Ok(()),
        };
        let acknowledged = match acknowledger {
            Some(acknowledger) => acknowledger.finish().await,
            None => Ok(()),
        };
        teed.and(acknowledged)
    }
}

fn write(rejects: &mut Rejects, action: Action) -> Result<(), Failure> {
    match action {
        Action::Keep(raw) => rejects.record(&raw),
        Action::KeepBeginning { number, bytes, more } => {
            rejects.bad(number, &Raw::Begun { bytes, more })
        }
        Action::KeepRest { bytes, more } => rejects.rest(&bytes, more),
        Action::TakeBack => {
            rejects.end();
            Ok(())
        }
        Action::Sync => rejects.sync(),
        Action::Tee(_) | Action::Acknowledge(..) | Action::DoneUpTo(_) => Ok(()),
    }
}
