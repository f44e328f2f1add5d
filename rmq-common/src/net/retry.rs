//! Pauses between attempts, and the limit of attempts.

use crate::cli::duration::Limit;
use std::cell::Cell;
use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Pauses that double from 50 ms to 5 s, each with jitter, so that a thousand clients of a
/// restarted broker do not reconnect in the same instant.
#[derive(Clone, Debug)]
pub struct Backoff {
    pause: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { pause: FIRST_PAUSE }
    }
}

impl Backoff {
    /// The next pause: between half of the current step and all of it.
    pub fn next_pause(&mut self) -> Duration {
        let step = self.pause;
        self.pause = (step * 2).min(LONGEST_PAUSE);
        let half = step / 2;
        half + half.mul_f64(jitter())
    }

    /// Restarts with short pauses after a success.
    pub fn reset(&mut self) {
        self.pause = FIRST_PAUSE;
    }
}

/// A number from 0 to 1 that differs between processes and calls. Quality does not matter here, so
/// the standard library's randomly keyed hasher suffices.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    let random = RandomState::new().hash_one(0u8) >> 11;
    // 53 bits fill a double's mantissa exactly.
    random as f64 / (1u64 << 53) as f64
}

/// `--retry`: counts the time since the last progress.
#[derive(Clone, Debug)]
pub struct Patience {
    limit: Cell<Limit>,
    since: Cell<Instant>,
}

impl Patience {
    /// Starts to count now.
    pub fn new(limit: Limit) -> Self {
        Patience { limit: Cell::new(limit), since: Cell::new(Instant::now()) }
    }

    /// Starts to count now, to another limit; attempts in progress obey it from their next try on.
    pub fn begin(&self, limit: Limit) {
        self.limit.set(limit);
        self.since.set(Instant::now());
    }

    /// Restarts the count after progress.
    pub fn progress(&mut self) {
        self.since.set(Instant::now());
    }

    /// Excludes this time from the count.
    pub fn leave_out(&mut self, time: Duration) {
        let since = self.since.get();
        self.since.set(since.checked_add(time).unwrap_or(since).min(Instant::now()));
    }

    /// The time without progress.
    pub fn elapsed(&self) -> Duration {
        self.since.get().elapsed()
    }

    /// For how long it was tried, for a message: the limit, or more if the last attempt exceeded
    /// it, in whole seconds.
    pub fn tried(&self) -> Limit {
        let elapsed = self.elapsed();
        match self.limit() {
            Limit::For(limit) if elapsed > limit + Duration::from_millis(500) => {
                Limit::For(Duration::from_secs(elapsed.as_secs_f64().round() as u64))
            }
            limit => limit,
        }
    }

    /// Whether it is time to give up.
    pub fn is_over(&self) -> bool {
        self.limit().is_over(self.elapsed())
    }

    /// The time left; `None` means no limit.
    pub fn left(&self) -> Option<Duration> {
        self.limit().left(self.elapsed())
    }

    /// The limit itself.
    pub fn limit(&self) -> Limit {
        self.limit.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_five_seconds_and_begin_again_after_a_success() {
        let mut backoff = Backoff::default();
        let first = backoff.next_pause();
        assert!(first >= FIRST_PAUSE / 2 && first <= FIRST_PAUSE, "{first:?}");
        for _ in 0..20 {
            assert!(backoff.next_pause() <= LONGEST_PAUSE);
        }
        assert!(backoff.next_pause() >= LONGEST_PAUSE / 2);
        backoff.reset();
        assert!(backoff.next_pause() <= FIRST_PAUSE);
    }

    #[test]
    fn time_that_is_left_out_does_not_count_and_what_is_left_is_never_more_than_all() {
        let limit = Duration::from_secs(100);
        let mut patience = Patience::new(Limit::For(limit));
        let since = patience.since.get().checked_sub(Duration::from_secs(50)).unwrap();
        patience.since.set(since);
        patience.leave_out(Duration::from_secs(20));
        assert_eq!(patience.left().map(|left| left.as_secs().div_ceil(10)), Some(7));
        patience.leave_out(Duration::from_secs(2000));
        assert!(patience.left() <= Some(limit));
    }

    #[test]
    fn what_a_last_try_took_beyond_the_limit_is_said() {
        for (limit, elapsed, wanted) in [(3, 3_015, "3s"), (3, 8_020, "8s"), (60, 61_600, "62s")] {
            let patience = Patience::new(Limit::For(Duration::from_secs(limit)));
            let since = Instant::now().checked_sub(Duration::from_millis(elapsed)).unwrap();
            patience.since.set(since);
            assert_eq!(patience.tried().to_string(), wanted);
        }
    }

    #[test]
    fn patience_zero_is_over_at_once_and_forever_never_is() {
        assert!(Patience::new(Limit::For(Duration::ZERO)).is_over());
        let patience = Patience::new(Limit::Forever);
        assert!(!patience.is_over());
        assert_eq!(patience.left(), None);
    }
}
