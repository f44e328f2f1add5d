//! Noticing a connection that is alive but answers nothing that was published.
//!
//! Heartbeats find a dead peer. They do not find a broker whose queue has lost its leader and whose
//! channel has forgotten what it was to confirm. Sending again on another connection does; if that
//! was unnecessary, it costs a duplicate, so the wait is long and doubles each time.

use std::time::{Duration, Instant};

/// A quorum queue that loses its leader, however it loses it, confirms again within 7 s.
const FIRST_LIMIT: Duration = Duration::from_secs(15);
const LONGEST_LIMIT: Duration = Duration::from_secs(240);

/// Watches for overdue answers.
#[derive(Debug)]
pub struct Watch {
    /// Since when an answer has been due.
    since: Option<Instant>,
    limit: Duration,
    /// Why the broker blocks the connection.
    blocked: Option<String>,
    /// When the last message was published.
    last_sent: Option<Instant>,
}

impl Default for Watch {
    fn default() -> Self {
        Watch { since: None, limit: FIRST_LIMIT, blocked: None, last_sent: None }
    }
}

impl Watch {
    /// Something was published.
    pub fn sent(&mut self) {
        let now = Instant::now();
        self.since.get_or_insert(now);
        self.last_sent = Some(now);
    }

    /// How long ago the last message was published.
    pub fn sent_ago(&self) -> Option<Duration> {
        self.last_sent.map(|sent| sent.elapsed())
    }

    /// The broker answered something; `more` says whether more answers are due.
    pub fn answered(&mut self, more: bool) {
        self.since = more.then(Instant::now);
    }

    /// The broker confirmed something, so the wait starts again from its first length.
    pub fn progress(&mut self) {
        self.limit = FIRST_LIMIT;
    }

    /// While the broker blocks the connection, no answer is due. A new connection is not blocked.
    pub fn blocked(&mut self, reason: Option<String>) {
        self.blocked = reason;
        self.since = self.since.map(|_| Instant::now());
    }

    /// Whether the broker blocks the connection.
    pub fn is_blocked(&self) -> bool {
        self.blocked.is_some()
    }

    /// Why the broker blocks the connection.
    pub fn block(&self) -> Option<&str> {
        self.blocked.as_deref()
    }

    /// Resets the watch for a new connection, on which nothing is due yet.
    pub fn renewed(&mut self) {
        self.since = None;
        self.blocked = None;
    }

    /// When an answer will be overdue.
    pub fn stalls_at(&self) -> Option<Instant> {
        self.since.filter(|_| self.blocked.is_none()).map(|since| since + self.limit)
    }

    /// For how long nothing was answered, if that is too long; the next limit is twice as long.
    pub fn stalled(&mut self) -> Option<Duration> {
        let limit = self.limit;
        self.stalls_at().filter(|at| Instant::now() >= *at)?;
        self.since = None;
        self.limit = (limit * 2).min(LONGEST_LIMIT);
        Some(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_due_only_while_something_is_in_flight_and_nothing_is_blocked() {
        let mut watch = Watch::default();
        assert_eq!(watch.stalls_at(), None);
        watch.sent();
        assert!(watch.stalls_at().is_some());
        watch.blocked(Some("low on memory".to_owned()));
        assert_eq!(watch.stalls_at(), None);
        watch.blocked(None);
        assert!(watch.stalls_at().is_some());
        watch.answered(false);
        assert_eq!(watch.stalls_at(), None);
    }

    #[test]
    fn the_wait_doubles_until_something_is_confirmed() {
        let long_ago = Instant::now().checked_sub(Duration::from_secs(20));
        let mut watch = Watch { since: long_ago, ..Watch::default() };
        assert_eq!(watch.stalled(), Some(FIRST_LIMIT));
        watch.since = long_ago;
        assert_eq!(watch.stalled(), None);
        watch.progress();
        assert_eq!(watch.stalled(), Some(FIRST_LIMIT));
    }
}
