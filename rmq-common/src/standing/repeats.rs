//! Reports repeated events with growing pauses: a flood becomes a few lines and a count. No I/O.

use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// The events of one kind.
#[derive(Debug)]
pub struct Repeats {
    /// How many are reported at first.
    free: u32,
    reported: u32,
    pause: Duration,
    until: Option<Instant>,
    unreported: u32,
    is_reported: bool,
}

impl Repeats {
    /// The first `free` events are reported.
    pub fn new(free: u32) -> Self {
        Repeats {
            free,
            reported: 0,
            pause: FIRST_PAUSE,
            until: None,
            unreported: 0,
            is_reported: true,
        }
    }

    /// Adds an event: if it is to be reported, returns how many were not since the last report.
    pub fn another(&mut self, now: Instant) -> Option<u32> {
        self.is_reported = self.until.is_none_or(|until| now >= until);
        if !self.is_reported {
            self.unreported += 1;
            return None;
        }
        self.reported += 1;
        if self.reported >= self.free {
            self.until = now.checked_add(self.pause);
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        Some(self.take_unreported())
    }

    /// No other event is reported before this.
    pub fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Whether the last one was reported, if there was any.
    pub fn is_reported(&self) -> bool {
        self.is_reported
    }

    /// Returns how many were not reported; the caller reports that.
    pub fn take_unreported(&mut self) -> u32 {
        std::mem::take(&mut self.unreported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_few_lines_and_a_count() {
        let (mut repeats, start) = (Repeats::new(3), Instant::now());
        let mut reported = Vec::new();
        for second in 0..200 {
            if let Some(unreported) = repeats.another(start + Duration::from_secs(second)) {
                assert!(repeats.is_reported());
                reported.push((second, unreported));
            }
        }
        assert_eq!(reported, [(0, 0), (1, 0), (2, 0), (12, 9), (32, 19), (72, 39), (152, 79)]);
        assert_eq!(repeats.take_unreported(), 47);
        assert!(!repeats.is_reported());
    }

    #[test]
    fn what_is_rare_is_always_reported() {
        let (mut repeats, start) = (Repeats::new(1), Instant::now());
        for hour in 0..10 {
            assert_eq!(repeats.another(start + Duration::from_secs(3600 * hour)), Some(0));
        }
    }
}
