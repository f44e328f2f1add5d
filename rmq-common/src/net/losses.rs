//! Detects connections that HAProxy or a firewall cuts because they are idle.
//!
//! Such a cut looks like any other, except that it recurs after the same time without messages.

use crate::net::lane::wire::HEARTBEAT_FRAME;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A connection that ends sooner was not cut for being idle.
const SHORTEST: Duration = Duration::from_secs(1);
/// Two times count as the same within this difference or this fraction.
const APART: Duration = Duration::from_millis(500);
const APART_OF: u32 = 10;

/// When anything but a heartbeat last passed through a connection, and when it ended.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<Times>);

#[derive(Debug)]
struct Times {
    last: Instant,
    end: Option<Instant>,
}

impl Default for Activity {
    fn default() -> Self {
        Activity(Mutex::new(Times { last: Instant::now(), end: None }))
    }
}

impl Activity {
    /// Records that these bytes have passed.
    pub(crate) fn passed(&self, bytes: &[u8]) {
        let (heartbeats, rest) = bytes.as_chunks();
        if bytes.is_empty()
            || (rest.is_empty() && heartbeats.iter().all(|it| *it == HEARTBEAT_FRAME))
        {
            return;
        }
        self.now();
    }

    /// Records that a message has passed.
    pub(crate) fn now(&self) {
        self.times().last = Instant::now();
    }

    /// Records that the peer has ended it.
    pub(crate) fn ended(&self) {
        self.times().end.get_or_insert_with(Instant::now);
    }

    /// How long it had been idle when the peer ended it; `None` if the peer has not.
    fn idle_at_end(&self) -> Option<Duration> {
        let times = self.times();
        times.end.map(|end| end.saturating_duration_since(times.last))
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        // No holder of the lock can leave the times inconsistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the last connection that was lost had been idle.
#[derive(Debug, Default)]
pub(crate) struct Losses(Option<Duration>);

impl Losses {
    /// Records a lost connection; returns how long it had been idle, if the one before was lost
    /// after the same time.
    pub(crate) fn lost(&mut self, activity: &Activity) -> Option<Duration> {
        self.after(activity.idle_at_end())
    }

    fn after(&mut self, idle: Option<Duration>) -> Option<Duration> {
        let idle = idle.filter(|idle| *idle >= SHORTEST);
        let before = std::mem::replace(&mut self.0, idle);
        let (idle, before) = (idle?, before?);
        let apart = (idle.max(before) / APART_OF).max(APART);
        (idle.abs_diff(before) <= apart).then_some(idle)
    }
}

/// Advice for connections that are cut after this idle time: heartbeats more often than every
/// `heartbeat` seconds, where 0 is never.
pub(crate) fn hint(idle: Duration, heartbeat: u16) -> Option<String> {
    // They are sent twice in that time.
    let often = u16::try_from(idle.as_secs()).unwrap_or(u16::MAX);
    let often = if heartbeat == 0 { often } else { often.min(heartbeat / 2) };
    let seconds = idle.as_secs();
    (often > 0).then(|| {
        format!(
            "again after {seconds} s without messages, as a proxy or a firewall cuts what is idle; \
             heartbeat={often} in the URL may keep it (?heartbeat={often})"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(times: &[f64]) -> Vec<bool> {
        let mut losses = Losses::default();
        times
            .iter()
            .map(|seconds| losses.after(Some(Duration::from_secs_f64(*seconds))).is_some())
            .collect()
    }

    #[test]
    fn only_two_losses_in_a_row_after_the_same_time_are_a_proxy_s() {
        assert_eq!(told(&[5.0, 5.2, 5.1]), [false, true, true]);
        assert_eq!(told(&[60.0, 65.0, 50.0, 60.0]), [false, true, false, false]);
        assert_eq!(told(&[5.0, 30.0, 5.0]), [false, false, false]);
        // A broker that is not running, or that is restarted under load.
        assert_eq!(told(&[0.1, 0.1, 0.2]), [false, false, false]);
        let mut losses = Losses::default();
        for idle in [Some(5), None, Some(5)] {
            assert_eq!(losses.after(idle.map(Duration::from_secs)), None);
        }
    }

    #[test]
    fn a_heartbeat_is_no_activity_and_the_first_end_is_the_one() {
        let activity = Activity::default();
        let before = activity.times().last;
        activity.passed(&HEARTBEAT_FRAME);
        activity.passed(&[HEARTBEAT_FRAME, HEARTBEAT_FRAME].concat());
        activity.passed(b"");
        assert_eq!(activity.times().last, before);
        assert_eq!(activity.idle_at_end(), None);
        activity.ended();
        let end = activity.times().end;
        activity.ended();
        assert_eq!(activity.times().end, end);
        activity.passed(&[1]);
        assert!(activity.times().last > before);
        activity.passed(&[HEARTBEAT_FRAME.as_slice(), &[1]].concat());
    }

    #[test]
    fn the_heartbeat_that_is_advised_is_shorter_than_the_time_and_than_the_one_there_is() {
        let hint = |idle, heartbeat| hint(Duration::from_secs(idle), heartbeat);
        assert!(hint(3, 10).unwrap().contains("heartbeat=3 "));
        assert!(hint(30, 10).unwrap().contains("heartbeat=5 "));
        assert!(hint(60, 0).unwrap().contains("heartbeat=60 "));
        assert_eq!(hint(30, 1), None);
    }
}
