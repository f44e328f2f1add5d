//! Noticing a consumer that its queue has forgotten.
//!
//! A channel that RabbitMQ 3.10 opened while a quorum queue had no leader may be given nothing, and
//! its acknowledgements may be lost. Nothing tells a client of it: an idle queue looks the same. So
//! after a while without messages the queue is looked at, ever more rarely while nothing comes.

use std::time::{Duration, Instant};

/// A quorum queue that loses its leader, however it loses it, goes on within 7 s; most of the time
/// in one.
const FIRST_LIMIT: Duration = Duration::from_secs(5);
const LONGEST_LIMIT: Duration = Duration::from_secs(300);

/// How long nothing has come.
#[derive(Debug)]
pub struct Idle {
    since: Instant,
    limit: Duration,
    /// The channel may have been opened in a bad moment.
    suspect: bool,
}

impl Idle {
    /// For a new connection, which is suspect where one was lost before it.
    pub fn new(suspect: bool) -> Self {
        Idle { since: Instant::now(), limit: FIRST_LIMIT, suspect }
    }

    /// Something came.
    pub fn over(&mut self) {
        self.since = Instant::now();
        self.limit = FIRST_LIMIT;
    }

    /// When the queue is to be looked at.
    pub fn until(&self) -> Option<Instant> {
        self.since.checked_add(self.limit)
    }

    /// It has been looked at, and has messages or not, which others are given or nobody: whether to
    /// try another channel. The next look comes after twice as long, but soon where messages wait: as
    /// the one who waits for its turn we go on once that has come. A suspect channel is changed once
    /// even if nothing is ready, because what its lost acknowledgements were for comes back only
    /// then; but not before everything it gave is `settled`, because that would come again.
    pub fn is_forgotten(&mut self, has_messages: bool, passed_by: bool, settled: bool) -> bool {
        self.since = Instant::now();
        if !has_messages {
            self.limit = (self.limit * 2).min(LONGEST_LIMIT);
        }
        (has_messages && passed_by) || (settled && std::mem::take(&mut self.suspect))
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
        // Another consumer's turn.
        assert!(!idle.is_forgotten(true, false, true));
        assert_eq!(idle.limit, FIRST_LIMIT);
    }

    #[test]
    fn a_channel_opened_after_a_lost_connection_is_changed_once() {
        let mut idle = Idle::new(true);
        assert!(!idle.is_forgotten(false, false, false));
        assert!(idle.is_forgotten(false, false, true));
        assert!(!idle.is_forgotten(false, false, true));
    }
}
