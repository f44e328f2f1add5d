//! Waiting for a condition, never for a length of time.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Between two looks: short against everything that is waited for here, long against the cost of
/// a look.
const PAUSE: Duration = Duration::from_millis(1);

/// Looks until `look` gives something.
///
/// # Panics
/// When it has not within `limit`.
#[track_caller]
pub fn wait_for<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain for {what}");
        std::thread::sleep(PAUSE);
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
    let deadline = Instant::now() + limit;
    loop {
        let seen = look();
        if seen == *wanted {
            return;
        }
        assert!(Instant::now() < deadline, "after {limit:?} still {seen:?}, not {wanted:?}");
        std::thread::sleep(PAUSE);
    }
}
