//! Since when nothing has come, and what the queue showed meanwhile: for `--drain` and `--idle`.
//!
//! A core without I/O: what comes and what a check shows go in, what that means comes out.

use crate::queue::subscription::state::QueueState;
use crate::receiver::idle::Idle;
use std::mem;
use std::time::{Duration, Instant};

/// How long nothing must come before the queue is checked, or a consumer cancelled.
const QUIET: Duration = Duration::from_millis(20);
/// How often it is checked at least while it has messages and we are given none.
const QUIET_AT_MOST: Duration = Duration::from_millis(500);
/// How long a queue that shows no consumer must give nothing to be taken for a stream.
const STREAM_AFTER: Duration = Duration::from_millis(160);

pub struct Quiet {
    /// When the last message came, or the queue was last checked.
    since: Instant,
    /// The pause before the next check.
    pause: Duration,
    /// Since when nothing has come, for `--idle`.
    nothing_since: Instant,
    /// The queue was seen empty, and nothing has come since.
    seen_empty: bool,
    /// The broker may have given the channel what never reached us.
    suspect: bool,
    wait_reported: bool,
    pub idle: Idle,
}

/// What a check shows, for `--drain`.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// More may come.
    More,
    /// There are messages, and another consumer may be the active one: to report, once.
    NoneForUs,
    /// It may be a stream, of which a check shows too little.
    Stream,
    /// Nothing is ready. What is on its way has to come before another check counts, and if the
    /// channel may have been given what never came, that comes on another channel.
    Empty { channel_is_suspect: bool },
    /// Nothing is ready again, and nothing has come.
    Drained,
}

impl Quiet {
    /// For a new connection, which is suspect if one was lost before it.
    pub fn new(suspect: bool) -> Self {
        let now = Instant::now();
        Quiet {
            since: now,
            pause: QUIET,
            nothing_since: now,
            seen_empty: false,
            suspect,
            wait_reported: false,
            idle: Idle::new(suspect),
        }
    }

    /// A message came.
    pub fn over(&mut self) {
        self.begins();
        self.pause = QUIET;
        self.seen_empty = false;
        self.idle.over();
    }

    /// Until now nothing could come.
    pub fn begins(&mut self) {
        self.since = Instant::now();
        self.nothing_since = self.since;
    }

    /// Something was acknowledged: there is room for more, which takes a moment to come.
    pub fn has_room(&mut self) {
        self.idle.over();
        self.nothing_since = Instant::now();
    }

    /// A check that took a while is over.
    pub fn checked(&mut self) {
        self.since = Instant::now();
    }

    /// When nothing has come for a moment.
    pub fn is_at(&self) -> Instant {
        self.since + QUIET
    }

    /// When the queue is to be checked.
    pub fn check_at(&self) -> Instant {
        self.since + self.pause
    }

    /// When nothing has come for as long as `limit`.
    pub fn over_at(&self, limit: Duration) -> Option<Instant> {
        self.nothing_since.checked_add(limit)
    }

    /// What a check has shown. `holds`: something is not acknowledged; `filter_holds`: by a filter,
    /// to which another channel would give it once more.
    pub fn saw(
        &mut self,
        state: QueueState,
        is_stream: bool,
        holds: bool,
        filter_holds: bool,
    ) -> Seen {
        self.checked();
        let shows_none = state.consumers == 0 && state.ready > 0;
        if is_stream || (shows_none && self.pause >= STREAM_AFTER) {
            return Seen::Stream;
        }
        // A quorum queue that has no leader just now answers 0 and 0, though our consumer is on
        // it: that is not an answer.
        if state.consumers > 0 && state.ready == 0 {
            let was_empty = mem::replace(&mut self.seen_empty, true);
            return match filter_holds {
                _ if was_empty && (filter_holds || !self.suspect) => Seen::Drained,
                true => Seen::More,
                false => Seen::Empty { channel_is_suspect: mem::take(&mut self.suspect) },
            };
        }
        self.suspect |= state.consumers == 0;
        // Else we may be given none because a filter has as many as we may have at once.
        let is_long = state.consumers > 0 && self.pause >= QUIET_AT_MOST && !holds;
        self.not_empty();
        match is_long && !mem::replace(&mut self.wait_reported, true) {
            true => Seen::NoneForUs,
            false => Seen::More,
        }
    }

    /// A stream has been read to its end, or not; whether it was both times.
    pub fn saw_end(&mut self, at_end: bool) -> bool {
        if !at_end {
            self.not_empty();
        }
        mem::replace(&mut self.seen_empty, at_end) && at_end
    }

    fn not_empty(&mut self) {
        self.seen_empty = false;
        self.pause = (self.pause * 2).min(QUIET_AT_MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saw(quiet: &mut Quiet, ready: u32, consumers: u32) -> Seen {
        quiet.saw(QueueState { ready, consumers }, false, false, false)
    }

    #[test]
    fn a_queue_is_drained_once_it_was_seen_empty_twice_and_nothing_came_in_between() {
        let mut quiet = Quiet::new(false);
        assert_eq!(saw(&mut quiet, 0, 1), Seen::Empty { channel_is_suspect: false });
        quiet.over();
        assert_eq!(saw(&mut quiet, 0, 1), Seen::Empty { channel_is_suspect: false });
        assert_eq!(saw(&mut quiet, 0, 1), Seen::Drained);
    }

    #[test]
    fn after_a_lost_connection_or_an_answer_without_a_leader_the_channel_is_changed_first() {
        let mut quiet = Quiet::new(true);
        for _ in 0..2 {
            assert_eq!(saw(&mut quiet, 0, 1), Seen::Empty { channel_is_suspect: true });
            assert_eq!(saw(&mut quiet, 0, 0), Seen::More);
        }
        assert_eq!(saw(&mut quiet, 0, 1), Seen::Empty { channel_is_suspect: true });
        assert_eq!(saw(&mut quiet, 0, 1), Seen::Drained);
    }

    #[test]
    fn what_a_filter_holds_is_not_asked_for_on_another_channel() {
        let (mut quiet, empty) = (Quiet::new(true), QueueState { ready: 0, consumers: 1 });
        assert_eq!(quiet.saw(empty, false, true, true), Seen::More);
        assert_eq!(quiet.saw(empty, false, true, true), Seen::Drained);
    }

    #[test]
    fn messages_that_do_not_come_are_reported_once_and_without_a_consumer_it_may_be_a_stream() {
        let mut quiet = Quiet::new(false);
        let seen: Vec<Seen> = (0..9).map(|_| saw(&mut quiet, 5, 1)).collect();
        assert_eq!(seen.iter().filter(|seen| **seen == Seen::NoneForUs).count(), 1);
        assert_eq!(saw(&mut quiet, 5, 0), Seen::Stream);
        assert_eq!(saw(&mut Quiet::new(false), 5, 0), Seen::More);
        assert!(!quiet.saw_end(true) && !quiet.saw_end(false) && !quiet.saw_end(true));
        assert!(quiet.saw_end(true));
    }
}
