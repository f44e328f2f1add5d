//! How much of the output counts as taken (`--ack`).
//!
//! With `written`, that is what the operating system has accepted, or what is on disk. With `read`,
//! it is what has left the pipe: a reader that still exists a moment after it took something counts
//! as having it. A reader that took a block, found what it wanted in the first line and ended, as
//! head(1) does, is gone by then, and nothing of that block counts.
//!
//! Nothing reports that a pipe drains, so it is checked again after 1 ms, and then less and less
//! often, down to four times a second, while nothing moves.

use crate::output::pipe;
use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(250);

/// When a message counts as taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It is written.
    Written,
    /// It has left the pipe, and the reader still exists.
    Read,
}

/// How far the output is taken, in bytes since the start of the run.
#[derive(Debug)]
pub struct Taken {
    when: When,
    /// Taken for certain.
    sure: u64,
    /// Taken according to the last check.
    seen: u64,
    checked: Instant,
    pause: Duration,
}

impl Taken {
    /// Nothing yet.
    pub fn new(when: When) -> Self {
        Taken { when, sure: 0, seen: 0, checked: Instant::now(), pause: SHORTEST }
    }

    /// When a message counts as taken.
    pub fn when(&self) -> When {
        self.when
    }

    /// How far it is taken for certain.
    pub fn bytes(&self) -> u64 {
        self.sure
    }

    /// Checks how far it is taken when this many bytes are written. `written` must be determined
    /// first: what is written in between only makes the pipe look fuller.
    pub fn check(&mut self, written: u64) {
        match self.when {
            When::Written => self.seen(written, true),
            When::Read => self.seen(written.saturating_sub(pipe::unread()), pipe::has_reader()),
        }
    }

    fn seen(&mut self, now: u64, has_reader: bool) {
        let waited = self.checked.elapsed();
        if self.when == When::Written {
            self.sure = now;
        } else if waited < SHORTEST {
            // Too soon for a second check.
            return;
        } else if has_reader {
            self.sure = self.sure.max(self.seen);
        }
        let moved = now > self.seen;
        self.pause = if moved { SHORTEST } else { (self.pause * 2).min(LONGEST) };
        self.seen = self.seen.max(now);
        self.checked = Instant::now();
    }

    /// Something was written: check again soon.
    pub fn soon(&mut self) {
        self.pause = SHORTEST;
    }

    /// When to check next.
    pub fn next_check(&self) -> Instant {
        self.checked + self.pause
    }

    /// Nothing more comes: a reader that has emptied the pipe, with this many bytes written, has
    /// taken everything and may go. `written` must be determined first.
    pub fn conclude(&mut self, written: u64) {
        if self.when == When::Read && pipe::unread() == 0 {
            self.sure = written;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(taken: &mut Taken, pause: Duration, now: u64, has_reader: bool) {
        taken.checked = taken.checked.checked_sub(pause).unwrap();
        taken.seen(now, has_reader);
    }

    #[test]
    fn what_has_left_the_pipe_counts_at_the_second_look_if_the_reader_is_still_there() {
        let mut taken = Taken::new(When::Read);
        after(&mut taken, SHORTEST, 100, true);
        assert_eq!(taken.bytes(), 0);
        // This does not count as a second check, only as a repetition.
        taken.checked = Instant::now() + SHORTEST;
        taken.seen(150, true);
        assert_eq!(taken.bytes(), 0);
        taken.checked = Instant::now();
        after(&mut taken, SHORTEST, 300, true);
        assert_eq!(taken.bytes(), 100);
        after(&mut taken, SHORTEST, 300, false);
        assert_eq!(taken.bytes(), 100);
    }

    #[test]
    fn looks_become_rare_while_nothing_moves() {
        let mut taken = Taken::new(When::Read);
        let mut pauses = Vec::new();
        for _ in 0..10 {
            after(&mut taken, LONGEST, 0, true);
            pauses.push(taken.pause.as_millis());
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 250, 250, 250]);
        after(&mut taken, LONGEST, 1, true);
        assert_eq!(taken.pause, SHORTEST);
    }

    #[test]
    fn what_is_written_counts_at_once_where_that_is_what_is_asked_for() {
        let mut taken = Taken::new(When::Written);
        taken.seen(7, true);
        assert_eq!(taken.bytes(), 7);
    }
}
