//! Waiting for a condition, never for a fixed time.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// The pause between the first two checks; it doubles each time, up to the longest. What comes at
/// once is seen at once, and expensive checks leave the processors to what is waited for.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(30);

/// Growing pauses.
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

/// Checks until `look` returns something.
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

/// Checks until `condition` is true.
///
/// # Panics
/// When it does not within `limit`.
#[track_caller]
pub fn wait_until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(limit, what, || condition().then_some(()));
}

/// Checks until the value seen is the one wanted.
///
/// # Panics
/// When it is not within `limit`; the message shows the last value.
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
