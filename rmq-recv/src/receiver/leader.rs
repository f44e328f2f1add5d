//! Whether a queue shows that it has no leader, as while the majority of its members is down.
//!
//! A consumer is not informed of that: an idle queue looks the same. But a quorum queue without a leader
//! answers a query with no messages and no consumers (RabbitMQ 3.10 to 4.3), though ours is registered.
//! A core without I/O.

use rmq_common::standing::vigil::Vigil;
use std::time::Instant;

/// What queries of a queue have shown.
#[derive(Debug, Default)]
pub struct Leader {
    /// A query has shown a consumer, as none of a stream does.
    was_seen: bool,
    is_missing: bool,
    vigil: Vigil,
}

/// What is to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The queue has been without a leader for long.
    Missing,
    /// It has one again.
    Back,
}

impl Leader {
    /// A query has shown so many consumers, ours among them.
    pub fn shows(&mut self, now: Instant, consumers: u32) -> Option<News> {
        if consumers > 0 {
            self.was_seen = true;
            return self.is_there(now);
        }
        self.is_missing = self.was_seen;
        self.vigil.set(now, self.is_missing);
        self.vigil.is_long(now).then_some(News::Missing)
    }

    /// A query or a message has shown that there is one.
    pub fn is_there(&mut self, now: Instant) -> Option<News> {
        self.is_missing = false;
        self.vigil.progress(now).map(|_| News::Back)
    }

    /// Whether the last query has shown none.
    pub fn is_missing(&self) -> bool {
        self.is_missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_leader_that_is_missing_for_long_is_reported_once_and_so_is_its_return() {
        let (mut leader, start) = (Leader::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(leader.shows(start, 1), None);
        // An election.
        assert_eq!(leader.shows(after(5), 0), None);
        assert!(leader.is_missing());
        assert_eq!(leader.shows(after(8), 1), None);
        assert!(!leader.is_missing());
        let news = [20, 25, 30, 35].map(|second| leader.shows(after(second), 0));
        assert_eq!(news, [None, Some(News::Missing), None, None]);
        assert_eq!(leader.is_there(after(40)), Some(News::Back));
        assert_eq!(leader.shows(after(45), 1), None);
    }

    #[test]
    fn a_stream_which_never_shows_a_consumer_has_none_to_miss() {
        let (mut leader, start) = (Leader::default(), Instant::now());
        for second in 0..100 {
            assert_eq!(leader.shows(start + Duration::from_secs(second), 0), None);
        }
        assert!(!leader.is_missing());
    }
}
