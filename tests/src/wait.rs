//! Waiting for a condition, never for a length of time.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Between the first two looks; twice as long each time, up to the longest. What comes at once is seen
/// at once, and a look that costs as much as a program's start leaves the processors to what it waits for.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(30);

/// Pauses that grow.
struct Pauses(Duration);

impl Pauses {
    fn new() -> Self {
        Pauses(SHORTEST_PAUSE)
    }

    fn pause(&mut self) {
        std::thread::sleep(self.0);
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}

/// Looks until `look` gives something.
///
/// # Panics
/// When it has not within `limit`.
#[track_caller]
pub fn wait_for<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let (deadline, mut pauses) = (Instant::now() + limit, Pauses::new());
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain for {what}");
        pauses.pause();
    }
}

/// Looks until `condition` holds.
///
/// # Panics
/// When it does not within `limit`.
#[track_caller]
pub fn wait_until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(limit, what, || condition().then_some(()));
}

/// Looks until what is seen is what is wanted.
///
/// # Panics
/// When it is not within `limit`; it says what was seen last.
#[track_caller]
pub fn wait_equal<T: PartialEq + Debug>(limit: Duration, wanted: &T, mut look: impl FnMut() -> T) {
    let (deadline, mut pauses) = (Instant::now() + limit, Pauses::new());
    loop {
        let seen = look();
        if seen == *wanted {
            return;
        }
        assert!(Instant::now() < deadline, "after {limit:?} still {seen:?}, not {wanted:?}");
        pauses.pause();
    }
}
