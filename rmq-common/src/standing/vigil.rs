//! A long wait is reported once, and its end once. A core without I/O.

use std::time::{Duration, Instant};

/// A wait that takes longer is reported: long enough for a queue to elect another leader.
pub const LONG: Duration = Duration::from_secs(5);

/// What is waited for without progress.
#[derive(Debug, Default)]
pub struct Vigil {
    since: Option<Instant>,
    reported: bool,
}

impl Vigil {
    /// Whether something is waited for now. If not, there is nothing to say of its end.
    pub fn set(&mut self, now: Instant, waits: bool) {
        if waits {
            self.since.get_or_insert(now);
        } else {
            *self = Vigil::default();
        }
    }

    /// There is progress: how long it took, if the wait was reported.
    pub fn progress(&mut self, now: Instant) -> Option<Duration> {
        let since = std::mem::take(&mut self.since);
        let reported = std::mem::take(&mut self.reported);
        since.filter(|_| reported).map(|since| now.saturating_duration_since(since))
    }

    /// When the wait has to be reported, unless it was.
    pub fn due(&self) -> Option<Instant> {
        self.since.filter(|_| !self.reported).and_then(|since| since.checked_add(LONG))
    }

    /// Whether the wait has to be reported now. True once.
    pub fn is_long(&mut self, now: Instant) -> bool {
        let is_long = self.due().is_some_and(|due| now >= due);
        self.reported |= is_long;
        is_long
    }

    /// It was reported already.
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
        vigil.reported();
        assert!(!vigil.is_long(after(30)));
        assert!(vigil.progress(after(31)).is_some());
    }
}
