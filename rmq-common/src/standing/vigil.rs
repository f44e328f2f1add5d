//! Reports a long wait once, and its end once; recurring waits, ever more rarely. No I/O.

use crate::standing::repeats::Repeats;
use std::time::{Duration, Instant};

/// A wait that takes longer is reported: long enough for a queue to elect another leader.
pub const LONG: Duration = Duration::from_secs(5);

/// This many waits are each reported; further ones, with growing pauses.
const FREE: u32 = 3;

/// What is waited for without progress.
#[derive(Debug)]
pub struct Vigil {
    since: Option<Instant>,
    reported: bool,
    times: Repeats,
}

impl Default for Vigil {
    fn default() -> Self {
        Vigil { since: None, reported: false, times: Repeats::new(FREE) }
    }
}

impl Vigil {
    /// Sets whether something is awaited now. If not, there is no end to report.
    pub fn set(&mut self, now: Instant, waits: bool) {
        if waits {
            self.since.get_or_insert(now);
        } else {
            self.known();
        }
    }

    /// There is progress: returns how long it took, if the wait was reported.
    pub fn progress(&mut self, now: Instant) -> Option<Duration> {
        let since = std::mem::take(&mut self.since);
        let reported = std::mem::take(&mut self.reported);
        since.filter(|_| reported).map(|since| now.saturating_duration_since(since))
    }

    /// When the wait has to be reported, unless it was.
    pub fn due(&self) -> Option<Instant> {
        let long = self.since.filter(|_| !self.reported)?.checked_add(LONG)?;
        Some(self.times.until().map_or(long, |until| until.max(long)))
    }

    /// Whether the wait has to be reported by now.
    pub fn is_due(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| now >= due)
    }

    /// It is reported, as one of many.
    pub fn counts(&mut self, now: Instant) {
        self.times.another(now);
        self.reported = true;
    }

    /// Whether the wait has to be reported now. True only once.
    pub fn is_long(&mut self, now: Instant) -> bool {
        let is_long = self.is_due(now);
        if is_long {
            self.counts(now);
        }
        is_long
    }

    /// Whether it was reported, and its end was not.
    pub fn is_reported(&self) -> bool {
        self.reported
    }

    /// What was awaited has to be awaited anew, unless that it is was reported.
    pub fn begin_anew(&mut self) {
        if !self.reported {
            self.since = None;
        }
    }

    /// Something else reports the wait, and its end.
    pub fn known(&mut self) {
        (self.since, self.reported) = (None, false);
    }

    /// It has been reported already.
    pub fn reported(&mut self) {
        self.reported = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wait_is_reported_once_and_its_end_once() {
        let (mut vigil, start) = (Vigil::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        vigil.set(start, true);
        vigil.set(after(2), true);
        assert_eq!(vigil.due(), Some(after(5)));
        assert!(!vigil.is_long(after(4)));
        assert!(vigil.is_long(after(5)));
        assert!(!vigil.is_long(after(50)));
        assert_eq!(vigil.due(), None);
        assert_eq!(vigil.progress(after(60)), Some(Duration::from_secs(60)));
        assert_eq!(vigil.progress(after(61)), None);
    }

    #[test]
    fn a_short_wait_and_the_end_of_all_work_are_not_reported() {
        let (mut vigil, start) = (Vigil::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        vigil.set(start, true);
        assert_eq!(vigil.progress(after(4)), None);
        vigil.set(after(4), true);
        assert!(!vigil.is_long(after(8)));
        assert!(vigil.is_long(after(9)));
        vigil.set(after(10), false);
        assert_eq!(vigil.progress(after(11)), None);
        vigil.set(after(20), true);
        assert!(vigil.is_long(after(25)));
        vigil.begin_anew();
        assert_eq!(vigil.progress(after(26)), Some(Duration::from_secs(6)));
        vigil.set(after(21), true);
        vigil.begin_anew();
        vigil.set(after(24), true);
        assert_eq!(vigil.due(), Some(after(29)));
        vigil.known();
        assert_eq!(vigil.progress(after(26)), None);
        vigil.set(after(26), true);
        vigil.reported();
        assert!(!vigil.is_long(after(40)));
        assert!(vigil.progress(after(41)).is_some());
    }

    #[test]
    fn waits_that_come_again_and_again_are_reported_ever_more_rarely_but_none_that_lasts_is_left_out()
     {
        let (mut vigil, start) = (Vigil::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut reported = Vec::new();
        for second in 0..100 {
            vigil.set(after(second), true);
            if vigil.is_long(after(second)) {
                reported.push(second);
            }
            if second % 6 == 5 {
                assert_eq!(
                    vigil.progress(after(second)).is_some(),
                    reported.last() == Some(&second)
                );
            }
        }
        assert_eq!(reported, [5, 11, 17, 29, 53, 95]);
        vigil.set(after(100), true);
        assert!(!vigil.is_long(after(106)));
        assert!(vigil.is_long(vigil.due().unwrap()));
    }
}
