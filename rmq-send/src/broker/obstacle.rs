//! What keeps records from being confirmed, as far as the broker says.

use crate::record::item::Route;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// For how long a check of a queue holds: a thousand records that are returned at once take one.
const HOLDS: Duration = Duration::from_secs(1);

/// The pauses before this round of nacks are about a second together.
const REPORTED_AT: u32 = 6;

/// The broker's last word about records that it does not take for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It nacks what goes there.
    Nacks(Arc<Route>),
    /// It nacks a message with a body of this size in bytes, although it holds no message.
    Unfitting(Arc<Route>, usize),
    /// The queue cannot be reached, for this reason.
    Down(Arc<Route>, String),
}

impl Obstacle {
    /// What is said of it when it is waited for no longer.
    pub fn shown(&self) -> String {
        match self {
            // A classic queue nacks what it can never hold, and AMQP does not say which it is.
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
                "{} nacks a message of {bytes} bytes although it is empty: its max-length or \
                 max-length-bytes may be too small for it, or it has no leader",
                route.shown()
            ),
            Obstacle::Down(route, why) => {
                format!("{} cannot be reached, its node may be down: {why}", route.shown())
            }
        }
    }
}

/// Rounds in which nothing but nacks came, until something is confirmed.
#[derive(Debug, Default)]
pub struct Refusals {
    rounds: u32,
    reported: bool,
}

impl Refusals {
    /// Something was confirmed.
    pub fn progress(&mut self) {
        self.rounds = 0;
    }

    /// One more round. True once, after about a second of them.
    pub fn another(&mut self) -> bool {
        self.rounds = self.rounds.saturating_add(1);
        let report = self.rounds >= REPORTED_AT && !self.reported;
        self.reported |= report;
        report
    }
}

/// Queues that messages were returned from, and whether they are only down.
#[derive(Debug, Default)]
pub struct DownQueues {
    down: HashMap<Arc<Route>, bool>,
    /// When the first of these was checked.
    since: Option<Instant>,
}

impl DownQueues {
    /// What a check that still holds has found.
    pub fn is_down(&mut self, queue: &Route) -> Option<bool> {
        if self.since.is_some_and(|since| since.elapsed() > HOLDS) {
            *self = DownQueues::default();
        }
        self.down.get(queue).copied()
    }

    /// What a check has found.
    pub fn note(&mut self, queue: Arc<Route>, is_down: bool) {
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
