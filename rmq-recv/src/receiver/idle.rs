//! Noticing a consumer that its queue has forgotten, and a queue that has no majority.
//!
//! A channel that RabbitMQ 3.10 opened while a quorum queue had no leader, or its node had just been
//! started, may be given nothing, and its acknowledgements may be lost. A client is not informed of it:
//! an idle queue looks the same, and so does one whose single active consumer is another client's. So
//! after a while without messages the queue is looked at, ever more rarely while nothing comes.
//!
//! A leader whose followers are gone answers a look as ever. But it cannot answer one more consumer,
//! which costs an idle queue two entries in its log, and so is tried every five minutes at most.

use std::time::{Duration, Instant};

/// A quorum queue that loses its leader continues within 7 s, usually within one.
const FIRST_LIMIT: Duration = Duration::from_secs(5);
const LONGEST_LIMIT: Duration = Duration::from_secs(60);
/// The same while the queue has no leader, so that its return is reported soon.
const WITHOUT_LEADER: Duration = Duration::from_secs(20);
/// How long nothing must come before the leader is asked for an answer of the majority.
const ASKED_AFTER: Duration = Duration::from_secs(30);
const ASKED_EVERY: Duration = Duration::from_secs(300);
/// Between two changes of the channel where messages wait all the time: so many looks at most.
const MOST_LOOKS: u32 = 60;

/// For how long nothing has come.
#[derive(Debug)]
pub struct Idle {
    since: Instant,
    limit: Duration,
    /// Whether the channel may have been opened at a bad moment.
    suspect: bool,
    /// How many checks in a row have found messages that we were not given.
    looks: u32,
    /// The number of such checks at which the channel is changed.
    change_at: u32,
    /// When something last came.
    over: Instant,
    /// When the leader was last asked.
    asked: Option<Instant>,
}

impl Idle {
    /// For a new connection, which is suspect if one was lost before it.
    pub fn new(suspect: bool) -> Self {
        let since = Instant::now();
        let (looks, change_at) = (0, 1);
        Idle { since, limit: FIRST_LIMIT, suspect, looks, change_at, over: since, asked: None }
    }

    /// Something came.
    pub fn over(&mut self) {
        *self = Idle { asked: self.asked, ..Idle::new(self.suspect) };
    }

    /// The queue has no leader, which was so at the last look or `is_news`: the next look is to come
    /// soon, or after twice as long.
    pub fn without_leader(&mut self, is_news: bool) {
        self.since = Instant::now();
        self.limit = if is_news { FIRST_LIMIT } else { (self.limit * 2).min(WITHOUT_LEADER) };
    }

    /// Whether it is time to ask the leader, at a look that has shown nothing. True once in a while.
    pub fn asks_leader(&mut self) -> bool {
        let now = Instant::now();
        let is_time = now.saturating_duration_since(self.over) >= ASKED_AFTER
            && self.asked.is_none_or(|at| now.saturating_duration_since(at) >= ASKED_EVERY);
        if is_time {
            self.asked = Some(now);
        }
        is_time
    }

    /// When the queue is to be checked.
    pub fn until(&self) -> Option<Instant> {
        self.since.checked_add(self.limit)
    }

    /// The queue has been checked, and has messages or not, which go to others or wait: returns
    /// whether to try another channel. The next check comes after twice as long, but soon if
    /// messages wait: a consumer that waits in line continues once its turn has come. While they
    /// wait and no consumer appears to be given any, the channel is changed at once and then ever
    /// more rarely, since this may be a line. A suspect channel is changed once even if nothing is
    /// ready, because messages whose acknowledgements it lost come back only then. Neither happens
    /// before everything that the channel delivered is `settled`, because it would be delivered
    /// again.
    pub fn is_forgotten(&mut self, has_messages: bool, passed_by: bool, settled: bool) -> bool {
        self.since = Instant::now();
        if !has_messages {
            self.limit = (self.limit * 2).min(LONGEST_LIMIT);
            (self.looks, self.change_at) = (0, 1);
            return settled && std::mem::take(&mut self.suspect);
        }
        self.looks = self.looks.saturating_add(1);
        let is_time = settled && self.looks >= self.change_at;
        if is_time {
            self.change_at = self.looks.saturating_add(self.looks.min(MOST_LOOKS));
            self.suspect = false;
        }
        is_time || passed_by
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_queue_is_looked_at_ever_more_rarely_until_something_comes() {
        let mut idle = Idle::new(false);
        for _ in 0..10 {
            assert!(!idle.is_forgotten(false, false, true));
        }
        assert_eq!(idle.limit, LONGEST_LIMIT);
        assert!(idle.is_forgotten(true, true, true));
        idle.over();
        assert_eq!(idle.limit, FIRST_LIMIT);
        // It may be another consumer's turn.
        assert!(idle.is_forgotten(true, false, true));
        assert_eq!(idle.limit, FIRST_LIMIT);
    }

    #[test]
    fn a_leader_is_asked_once_nothing_came_for_a_while_and_then_rarely() {
        let mut idle = Idle::new(false);
        assert!(!idle.asks_leader());
        let ago = |time: Duration| Instant::now().checked_sub(time).unwrap();
        idle.over = ago(ASKED_AFTER);
        assert!(idle.asks_leader());
        assert!(!idle.asks_leader());
        idle.over();
        idle.over = ago(ASKED_AFTER);
        assert!(!idle.asks_leader());
        idle.asked = Some(ago(ASKED_EVERY));
        assert!(idle.asks_leader());
    }

    #[test]
    fn a_queue_without_a_leader_is_looked_at_soon_and_then_ever_more_rarely() {
        let mut idle = Idle::new(false);
        idle.limit = LONGEST_LIMIT;
        idle.without_leader(true);
        assert_eq!(idle.limit, FIRST_LIMIT);
        for _ in 0..10 {
            idle.without_leader(false);
        }
        assert_eq!(idle.limit, WITHOUT_LEADER);
    }

    #[test]
    fn a_channel_opened_after_a_lost_connection_is_changed_once() {
        let mut idle = Idle::new(true);
        assert!(!idle.is_forgotten(false, false, false));
        assert!(idle.is_forgotten(false, false, true));
        assert!(!idle.is_forgotten(false, false, true));
    }

    #[test]
    fn a_channel_that_is_given_none_of_what_waits_is_changed_ever_more_rarely() {
        let mut idle = Idle::new(false);
        assert!(!idle.is_forgotten(true, false, false));
        let mut at = (1..400).filter(|_| idle.is_forgotten(true, false, true)).collect::<Vec<_>>();
        assert_eq!(at, [1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363]);
        idle.over();
        at = (1..5).filter(|_| idle.is_forgotten(true, false, true)).collect();
        assert_eq!(at, [1, 2, 4]);
    }
}
