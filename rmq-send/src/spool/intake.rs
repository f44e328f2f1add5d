//! Puts what is read into the spool, so that the input never waits for the broker.
//!
//! The reading thread does this before it reads more: without room, only its last block is not on
//! disk.

use crate::arguments::SpoolFull;
use crate::input::positions::Positions;
use crate::input::reader::{End, Input};
use crate::record::envelope::envelope;
use crate::record::item::{Bad, Item};
use crate::results::rejected_summary::RejectedSummary;
use crate::spool::disk::{Appended, Room, Writer};
use crate::spool::fullness::Fullness;
use crate::spool::set_aside::Kept;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::time::{Duration, Instant};

/// Other programs may free room on a full disk.
const CHECK_AGAIN: Duration = Duration::from_secs(1);

/// The end of the input, for the spool.
#[derive(Debug, Default)]
pub struct Over {
    /// Records read.
    pub read: u64,
    /// Bytes of a record whose end had not come.
    pub partial: usize,
    /// Why it ended early.
    pub failure: Option<Failure>,
    /// Why the spool takes no more, which ends the run.
    pub broken: Option<Failure>,
    /// Records read for which the spool had no room.
    pub unkept: u64,
    /// Records that could not be sent, and are in the rejects.
    pub rejections: RejectedSummary,
}

impl Over {
    /// The thread ended without reporting.
    pub fn lost() -> Self {
        let broken = Failure::new(Exit::Software, "the thread that reads is gone");
        Over { broken: Some(broken), ..Over::default() }
    }
}

/// What the spooling thread works with.
pub struct Spooling {
    /// The spool's writing end.
    pub writer: Writer,
    pub directory: String,
    /// What to do when it is full.
    pub full: SpoolFull,
    /// Where records go that cannot be sent.
    pub rejects: Kept,
    /// What records are called.
    pub positions: Positions,
    /// Where problems are reported.
    pub diagnostics: Diagnostics,
}

impl Spooling {
    /// Takes what the input thread hands over; the receiver gets the end.
    pub fn sink(self) -> (impl FnMut(Input) -> bool + Send + 'static, flume::Receiver<Over>) {
        let (sender, over) = flume::bounded(1);
        let mut sink =
            Some(Sink { fullness: Fullness::default(), over: Over::default(), own: self });
        let take = move |input| {
            let Some(here) = &mut sink else { return false };
            match input {
                Input::Items(items) => here.items(items),
                Input::End(end) => {
                    if let Some(here) = sink.take() {
                        let _ = sender.send(here.end(end));
                    }
                    false
                }
            }
        };
        (take, over)
    }
}

struct Sink {
    own: Spooling,
    over: Over,
    /// When a lack of room is reported.
    fullness: Fullness,
}

impl Sink {
    fn end(mut self, end: End) -> Over {
        match end {
            End::Finished => {}
            End::Stopped { partial } => self.over.partial = partial,
            End::Failed(failure) => {
                self.over.failure.get_or_insert(failure);
            }
        }
        let rejects = &mut self.own.rejects;
        if rejects.end().is_some() {
            self.over.rejections.take_back();
        }
        self.over.rejections.are(rejects.whereabouts());
        if let Err(failure) = rejects.sync() {
            self.over.failure.get_or_insert(failure);
        }
        self.over
    }

    /// Whether more is wanted.
    fn items(&mut self, items: Vec<Item>) -> bool {
        let mut payloads = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Item::Record(record) => {
                    self.over.read += 1;
                    if let Some(message) = &record.message {
                        let mut payload = Vec::new();
                        envelope(message).encode(&mut payload);
                        payloads.push(payload);
                    }
                }
                Item::Bad(found) => {
                    self.over.read += 1;
                    self.bad(found);
                }
                Item::Rest { bytes, more } => {
                    if let Err(failure) = self.own.rejects.rest(&bytes, more) {
                        self.over.failure.get_or_insert(failure);
                    }
                }
            }
        }
        // Good records are kept, whatever came between them.
        if let Err((broken, unkept)) = self.append(&payloads) {
            self.over.broken = Some(broken);
            self.over.unkept += unkept as u64;
        }
        self.over.broken.is_none() && self.over.failure.is_none()
    }

    fn bad(&mut self, bad: Bad) {
        let why = bad.why.context(self.own.positions.of(bad.number));
        if let Err(lost) = self.own.rejects.bad(bad.number, &bad.raw) {
            let failure = Failure::new(lost.exit(), format!("{why}; and {lost}"));
            self.over.failure.get_or_insert(failure);
            return;
        }
        self.over.rejections.add(bad.number, why, self.own.diagnostics);
    }

    /// Appends all, waiting for room if necessary; on failure, returns why, and how many are left.
    fn append(&mut self, payloads: &[Vec<u8>]) -> Result<(), (Failure, usize)> {
        let mut rest = payloads;
        loop {
            let before = self.own.writer.next_sequence();
            let (taken, limit, why) = match self.own.writer.append(rest) {
                Ok(Appended::All) => {
                    self.report_room();
                    return Ok(());
                }
                Ok(Appended::InMemory) => {
                    self.report_full("no space left on its disk; records are sent from memory");
                    return Ok(());
                }
                Ok(Appended::Full(taken)) => (taken, None, "full (--spool-max)"),
                Ok(Appended::NoSpace(taken)) => {
                    (taken, Some(CHECK_AGAIN), "no space left on its disk")
                }
                Err(failure) => {
                    let taken = self.own.writer.next_sequence().saturating_sub(before);
                    let taken = usize::try_from(taken).unwrap_or(usize::MAX).min(rest.len());
                    return Err((failure, rest.len() - taken));
                }
            };
            rest = &rest[taken..];
            let directory = &self.own.directory;
            if self.own.full == SpoolFull::Fail {
                let full = Failure::new(Exit::IoErr, format!("spool {directory}: {why}"));
                return Err((full, rest.len()));
            }
            self.report_full(&format!("{why}; the input waits"));
            let due = self.fullness.due(Instant::now());
            let limit = limit.into_iter().chain(due).min();
            match self.own.writer.wait_for_room(limit) {
                Ok(Room::Freed | Room::TimedOut) => {}
                Ok(Room::Stopped) => {
                    let text = format!("stopped while spool {} had no room", self.own.directory);
                    return Err((Failure::new(Exit::TempFail, text), rest.len()));
                }
                Err(failure) => return Err((failure, rest.len())),
            }
        }
    }

    fn report_full(&mut self, what: &str) {
        if self.fullness.full(Instant::now()) {
            self.own.diagnostics.notice(&format!("spool {}: {what}", self.own.directory));
        }
    }

    fn report_room(&mut self) {
        if let Some(took) = self.fullness.room(Instant::now()) {
            let (directory, seconds) = (&self.own.directory, took.as_secs());
            let text = format!("spool {directory}: has room again, after {seconds} s");
            self.own.diagnostics.notice(&text);
        }
    }
}
