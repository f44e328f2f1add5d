//! How fast counts grow, over the last seconds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The period that counts: short enough to be current, long enough not to jump.
const WINDOW: Duration = Duration::from_secs(5);

/// Two counts at several times.
#[derive(Debug, Default)]
pub struct Rates(VecDeque<(Instant, [u64; 2])>);

impl Rates {
    /// Adds the present counts; returns their growth per second.
    pub fn at(&mut self, now: Instant, counts: [u64; 2]) -> [u64; 2] {
        self.0.push_back((now, counts));
        // Keeps the last one that is older: its counts are the ones to compare with.
        while self.0.get(1).is_some_and(|(then, _)| now.saturating_duration_since(*then) >= WINDOW)
        {
            self.0.pop_front();
        }
        let Some((then, before)) = self.0.front() else { return [0, 0] };
        let seconds = now.saturating_duration_since(*then).as_secs_f64();
        if seconds == 0.0 {
            return [0, 0];
        }
        let rate = |now: u64, before: u64| (now.saturating_sub(before) as f64 / seconds).round();
        // A count that was set back, and so is not growing, gives 0.
        [rate(counts[0], before[0]) as u64, rate(counts[1], before[1]) as u64]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_seconds() {
        let (mut rates, start) = (Rates::default(), Instant::now());
        let tick = |n: u64| start + Duration::from_millis(250 * n);
        assert_eq!(rates.at(tick(0), [0, 0]), [0, 0]);
        for n in 1..=40 {
            let counts = [n * 250, n * 25_000];
            assert_eq!(rates.at(tick(n), counts), [1000, 100_000], "{n}");
        }
        // Nothing arrives, and five seconds later that shows.
        for n in 41..=60 {
            let [rate, _] = rates.at(tick(n), [10_000, 0]);
            assert_eq!(rate, 1000 - 50 * (n - 40));
        }
        assert_eq!(rates.at(tick(61), [10_000, 0]), [0, 0]);
        assert!(rates.0.len() <= 22, "{}", rates.0.len());
    }

    #[test]
    fn one_that_comes_at_once_is_not_millions_a_second() {
        let (mut rates, now) = (Rates::default(), Instant::now());
        assert_eq!(rates.at(now, [1000, 10]), [0, 0]);
        assert_eq!(rates.at(now, [2000, 20]), [0, 0]);
        let later = now + Duration::from_secs(1);
        assert_eq!(rates.at(later, [2000, 20]), [1000, 10]);
    }
}
