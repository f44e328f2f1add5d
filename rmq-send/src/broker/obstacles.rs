//! What keeps records from being confirmed, as far as the broker says.

use crate::broker::link::Found;
use crate::record::item::Route;
use rmq_common::count::counted;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the result of a check stays valid: a thousand records returned at once take one check.
const HOLDS: Duration = Duration::from_secs(1);

/// The pauses before this round of nacks add up to about a second.
const REPORTED_AT: u32 = 6;

/// What the broker last said about records that it does not take for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It nacks messages to this route.
    Nacks(Arc<Route>),
    /// It nacks a message with a body of this size in bytes, although the queue holds no message.
    Unfitting(Arc<Route>, usize),
    /// The queue cannot be reached, for this reason.
    Down(Arc<Route>, String),
}

impl Obstacle {
    /// How it is reported when the run stops waiting for it.
    pub fn shown(&self) -> String {
        match self {
            // A classic queue nacks what it can never hold, and AMQP does not say which case it is.
            Obstacle::Nacks(route) if route.is_to_queue() => format!(
                "{} nacks: it is full, its max-length-bytes is smaller than the message, or \
                 it has no leader",
                route.shown()
            ),
            Obstacle::Nacks(route) => format!(
                "a queue of {} nacks: it is full, its max-length-bytes is smaller than the message, or \
                 it has no leader",
                route.shown()
            ),
            // A passive declare of a quorum queue without a leader also answers that it is empty.
            Obstacle::Unfitting(route, bytes) => format!(
                "{} nacks a message of {} although it is empty: its max-length or \
                 max-length-bytes may be too small for it, or it has no leader",
                route.shown(),
                counted(*bytes as u64, "byte")
            ),
            Obstacle::Down(route, why) => {
                format!("{} cannot be reached, its node may be down: {why}", route.shown())
            }
        }
    }
}

/// What is known about obstacles.
#[derive(Debug, Default)]
pub struct Obstacles {
    /// Why the broker did not take the last message that it answered; `None` after a confirm.
    last: Option<Obstacle>,
    down_queues: DownQueues,
    refusals: Refusals,
}

impl Obstacles {
    /// Why the broker did not take the last message that it answered, if it did not.
    pub fn last(&self) -> Option<&Obstacle> {
        self.last.as_ref()
    }

    /// The broker confirmed something; `all` means that it nacked nothing in the same answer.
    pub fn progress(&mut self, all: bool) {
        self.refusals.progress();
        if all {
            self.last = None;
        }
    }

    /// The broker nacked a message to this route.
    pub fn nacks(&mut self, route: &Arc<Route>) {
        self.last.get_or_insert(Obstacle::Nacks(route.clone()));
    }

    /// Notes whether a queue that nacks a message of `bytes` bytes is empty.
    pub fn is_empty(&mut self, route: Arc<Route>, bytes: usize, is_empty: bool) {
        self.last = Some(match is_empty {
            true => Obstacle::Unfitting(route, bytes),
            false => Obstacle::Nacks(route),
        });
    }

    /// One more round brought nothing but nacks. Returns what to report, once, if `reports`.
    pub fn another_refusal(&mut self, reports: bool) -> Option<String> {
        let report = self.refusals.another() && reports;
        self.last.as_ref().filter(|_| report).map(Obstacle::shown)
    }

    /// Whether a queue that returns messages is known to be down, or known not to be.
    pub fn is_down(&mut self, queue: &Route) -> Option<bool> {
        self.down_queues.is_down(queue)
    }

    /// Stores the result of a check; returns whether the queue is down.
    pub fn found(&mut self, queue: Arc<Route>, found: Option<Found>) -> bool {
        let is_down = found != Some(Found::Missing);
        self.down_queues.note(queue.clone(), is_down);
        if let Some(Found::Down(why)) = found {
            self.last = Some(Obstacle::Down(queue, why));
        }
        is_down
    }
}

/// Counts rounds that bring nothing but nacks, until something is confirmed.
#[derive(Debug, Default)]
struct Refusals {
    rounds: u32,
    reported: bool,
}

impl Refusals {
    /// Something was confirmed.
    fn progress(&mut self) {
        self.rounds = 0;
    }

    /// One more round. True once, after about a second of them.
    fn another(&mut self) -> bool {
        self.rounds = self.rounds.saturating_add(1);
        let report = self.rounds >= REPORTED_AT && !self.reported;
        self.reported |= report;
        report
    }
}

/// Queues that messages were returned from, and whether they are merely down.
#[derive(Debug, Default)]
struct DownQueues {
    down: HashMap<Arc<Route>, bool>,
    /// When the first of these was checked.
    since: Option<Instant>,
}

impl DownQueues {
    /// The result of a check that is still valid.
    fn is_down(&mut self, queue: &Route) -> Option<bool> {
        if self.since.is_some_and(|since| since.elapsed() > HOLDS) {
            *self = DownQueues::default();
        }
        self.down.get(queue).copied()
    }

    /// Stores the result of a check.
    fn note(&mut self, queue: Arc<Route>, is_down: bool) {
        self.since.get_or_insert_with(Instant::now);
        self.down.insert(queue, is_down);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_reported_once_and_not_while_something_is_confirmed() {
        let mut refusals = Refusals::default();
        for _ in 0..3 {
            assert!((1..REPORTED_AT).all(|_| !refusals.another()));
            refusals.progress();
        }
        assert!((1..REPORTED_AT).all(|_| !refusals.another()));
        assert!(refusals.another());
        refusals.progress();
        assert!((0..REPORTED_AT * 2).all(|_| !refusals.another()));
    }

    #[test]
    fn a_look_holds_for_a_second() {
        let mut checked = DownQueues::default();
        let queue = Arc::new(Route::default());
        assert_eq!(checked.is_down(&queue), None);
        checked.note(queue.clone(), true);
        assert_eq!(checked.is_down(&queue), Some(true));
        checked.since = Instant::now().checked_sub(HOLDS * 2);
        assert_eq!(checked.is_down(&queue), None);
    }
}
