//! What is known about the current consumer, and whether another one may take over from it.

use std::time::{Duration, Instant};

/// The pause between two attempts to take over.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long acknowledgements are kept back: less than a broker waits for them (30 minutes).
const KEPT_AT_MOST: Duration = Duration::from_secs(600);

/// The current consumer, and whether it may be cancelled.
#[derive(Debug)]
pub struct Takeover {
    registered: Instant,
    next_in_line: bool,
    kept: Option<Kept>,
    priority: i32,
    single: bool,
}

/// The consumer stays until another attempt.
#[derive(Clone, Copy, Debug)]
struct Kept {
    since: Instant,
    until: Instant,
    pause: Duration,
    /// As far as is known, another client's consumer waits for the queue's messages.
    others_wait: bool,
}

impl Takeover {
    /// A consumer was registered just now.
    pub fn new() -> Self {
        Takeover {
            registered: Instant::now(),
            next_in_line: false,
            kept: None,
            priority: 0,
            single: false,
        }
    }

    /// Another consumer has taken over just now.
    pub fn taken_over(&mut self) {
        let Takeover { priority, single, .. } = *self;
        *self = Takeover { priority, single, ..Takeover::new() };
    }

    /// Whether the consumer was registered at most this long ago.
    pub fn is_younger_than(&self, age: Duration) -> bool {
        self.registered.elapsed() < age
    }

    /// Its successor was registered together with it, and so is next in line if the queue has a
    /// single active consumer.
    pub fn stand_in_line(&mut self) {
        self.next_in_line = true;
    }

    /// Whether its successor is next in line.
    pub fn is_next_in_line(&self) -> bool {
        self.next_in_line
    }

    /// The priority that the next consumer is registered with.
    pub fn priority(&self) -> i32 {
        self.priority
    }

    /// The next consumer has to come before those that wait.
    pub fn raise_priority(&mut self) {
        self.priority += 1;
    }

    /// Whether, as far as is known, the queue has a single active consumer.
    pub fn is_single(&self) -> bool {
        self.single
    }

    /// Notes whether the queue has a single active consumer.
    pub fn set_single(&mut self, single: bool) {
        self.single = single;
    }

    /// The consumer stays, and for longer after each attempt.
    pub fn keep(&mut self, others_wait: bool) {
        let now = Instant::now();
        let pause = self.kept.map_or(FIRST_PAUSE, |kept| (kept.pause * 2).min(LONGEST_PAUSE));
        let since = self.kept.map_or(now, |kept| kept.since);
        self.kept = Some(Kept { since, until: now + pause, pause, others_wait });
    }

    /// Whether the consumer stays for now.
    pub fn is_kept(&self) -> bool {
        self.kept.is_some_and(|kept| Instant::now() < kept.until)
    }

    /// Whether the consumer stays because others may be next in line.
    pub fn is_kept_from_others(&self) -> bool {
        self.kept.is_some_and(|kept| kept.others_wait)
    }

    /// When the acknowledgements that were kept back meanwhile have to be sent.
    pub fn kept_until(&self) -> Option<Instant> {
        self.kept?.since.checked_add(KEPT_AT_MOST)
    }

    /// They are sent now, and the time starts again.
    pub fn sent_kept(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.since = Instant::now();
        }
    }
}
