//! When to report a full spool: the first time at once, later ones once they last long, and each
//! reported time once more when there is room again. A spool that fills up repeatedly is reported
//! ever more rarely. A core without I/O.

use rmq_common::standing::repeats::Repeats;
use rmq_common::standing::vigil::LONG;
use std::time::{Duration, Instant};

/// For how long there has been no room, and whether that was reported.
#[derive(Debug)]
pub struct Fullness {
    times: Repeats,
    since: Option<Instant>,
    reported: bool,
}

impl Default for Fullness {
    fn default() -> Self {
        Fullness { times: Repeats::new(1), since: None, reported: false }
    }
}

impl Fullness {
    /// There is no room: returns whether to report that now.
    pub fn full(&mut self, now: Instant) -> bool {
        self.since.get_or_insert(now);
        let report = self.due(now) == Some(Duration::ZERO);
        if report {
            self.times.another(now);
            self.reported = true;
        }
        report
    }

    /// How long to wait at most before it has to be reported.
    pub fn due(&self, now: Instant) -> Option<Duration> {
        let since = self.since.filter(|_| !self.reported)?;
        let due = self
            .times
            .until()
            .map_or(Some(since), |until| since.checked_add(LONG).map(|long| long.max(until)))?;
        Some(due.saturating_duration_since(now))
    }

    /// There is room: returns for how long there was none, if that was reported.
    pub fn room(&mut self, now: Instant) -> Option<Duration> {
        let since = self.since.take()?;
        std::mem::take(&mut self.reported).then(|| now.saturating_duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_spool_is_reported_once_and_so_is_that_it_has_room() {
        let (mut fullness, start) = (Fullness::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(fullness.room(start), None);
        assert!(fullness.full(start));
        assert!(!fullness.full(after(1)));
        assert!(!fullness.full(after(4000)));
        assert_eq!(fullness.due(after(4000)), None);
        assert_eq!(fullness.room(after(4001)), Some(Duration::from_secs(4001)));
        assert_eq!(fullness.room(after(4002)), None);
    }

    #[test]
    fn one_that_fills_up_again_and_again_is_reported_once_it_takes_long() {
        let (mut fullness, start) = (Fullness::default(), Instant::now());
        let at = |tenths: u64| start + Duration::from_millis(100 * tenths);
        for n in 0..1000 {
            assert_eq!(fullness.full(at(2 * n)), n == 0, "{n}");
            assert_eq!(fullness.room(at(2 * n + 1)).is_some(), n == 0, "{n}");
        }
        assert!(!fullness.full(at(2000)));
        assert_eq!(fullness.due(at(2010)), Some(LONG - Duration::from_secs(1)));
        assert!(fullness.full(at(2050)));
        assert_eq!(fullness.room(at(2060)), Some(Duration::from_secs(6)));
        // Twenty seconds later at the earliest.
        assert!(!fullness.full(at(2070)));
        assert!(!fullness.full(at(2240)));
        assert!(fullness.full(at(2250)));
    }
}
