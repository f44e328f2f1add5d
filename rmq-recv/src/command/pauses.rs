//! How long a message waits before its command is tried again, and when no command is started.
//!
//! A core without I/O. A failure concerns one message: the others continue. Only if many commands
//! in a row say "not now" (75) and none succeeds, something that all of them need may be missing;
//! then nothing is started for a while, so that not all messages use up their deliveries.

use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// This many failures in a row count as an outage, or as many as may run at once.
const MANY: usize = 10;

/// The failures since a command succeeded.
#[derive(Debug)]
pub struct Pauses {
    many: usize,
    failures: usize,
    /// Consecutive commands that said "not now", since the last time there were many.
    in_a_row: usize,
    /// How often in a row there were many.
    rounds: u32,
    /// No command is started before this time.
    until: Option<Instant>,
}

impl Pauses {
    /// For this number of jobs.
    pub fn new(jobs: usize) -> Self {
        Pauses { many: jobs.max(MANY), failures: 0, in_a_row: 0, rounds: 0, until: None }
    }

    /// A command has succeeded.
    pub fn succeeded(&mut self) {
        (self.failures, self.in_a_row, self.rounds) = (0, 0, 0);
    }

    /// A command has failed over a message that came back `returns` times before, if counted, or
    /// said "not now". Returns when the message is to be requeued.
    pub fn failed(&mut self, now: Instant, returns: Option<u64>, not_now: bool) -> Instant {
        self.failures = self.failures.saturating_add(1);
        if not_now {
            self.in_a_row += 1;
        }
        if self.in_a_row >= self.many {
            self.until = now.checked_add(length(self.rounds));
            self.in_a_row = 0;
            self.rounds += 1;
        }
        // If nothing counts its returns, a message that fails repeatedly must still come ever more
        // rarely.
        let returns = returns.unwrap_or((self.failures / self.many).max(1) as u64);
        let doublings = u32::try_from(returns).unwrap_or(u32::MAX).max(self.rounds);
        now.checked_add(length(doublings)).unwrap_or(now)
    }

    /// No command is started before this time.
    pub fn until(&self) -> Option<Instant> {
        self.until
    }

    /// The pause is over, or starts again with another connection.
    pub fn go_on(&mut self) {
        self.until = None;
    }
}

fn length(doublings: u32) -> Duration {
    SHORTEST.saturating_mul(2u32.saturating_pow(doublings)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(pauses: &mut Pauses, times: usize, not_now: bool) {
        for _ in 0..times {
            pauses.failed(Instant::now(), Some(0), not_now);
        }
    }

    #[test]
    fn each_return_doubles_the_pause_of_its_message_alone() {
        let (mut pauses, now) = (Pauses::new(1), Instant::now());
        for (returns, seconds) in [(0, 1), (1, 2), (3, 8), (5, 32), (6, 60), (u64::MAX, 60)] {
            let until = pauses.failed(now, Some(returns), true);
            assert_eq!(until - now, Duration::from_secs(seconds));
            assert_eq!(pauses.until(), None);
        }
    }

    #[test]
    fn nothing_is_started_once_many_in_a_row_said_not_now() {
        let (mut pauses, now) = (Pauses::new(1), Instant::now());
        let many = |pauses: &mut Pauses, not_now| {
            fail(pauses, MANY, not_now);
            let until = pauses.until().map(|until| until.duration_since(now).as_secs_f64().round());
            pauses.go_on();
            until
        };
        assert_eq!(many(&mut pauses, false), None);
        assert_eq!(many(&mut pauses, false), None);
        assert_eq!(many(&mut pauses, true), Some(1.0));
        assert_eq!(many(&mut pauses, true), Some(2.0));
        pauses.succeeded();
        fail(&mut pauses, 1, true);
        pauses.succeeded();
        fail(&mut pauses, MANY - 1, true);
        assert_eq!(pauses.until(), None);
        fail(&mut pauses, 1, true);
        assert!(pauses.until().is_some());
    }

    #[test]
    fn failures_in_a_row_that_are_not_for_now_lengthen_no_pause() {
        let (mut pauses, now) = (Pauses::new(4), Instant::now());
        for _ in 0..5 * MANY {
            assert_eq!(pauses.failed(now, Some(1), false) - now, Duration::from_secs(2));
        }
        // But if the queue does not count returns:
        assert_eq!(pauses.failed(now, None, false) - now, Duration::from_secs(32));
    }

    #[test]
    fn as_many_failures_as_may_run_at_once_are_not_an_outage_yet() {
        let mut pauses = Pauses::new(20);
        fail(&mut pauses, 19, true);
        assert_eq!(pauses.until(), None);
        fail(&mut pauses, 1, true);
        assert!(pauses.until().is_some());
    }
}
