//! The thread that puts what is read into the spool, so that the input never waits for the broker.

use crate::arguments::SpoolFull;
use crate::input::{End, Input};
use crate::message::envelope;
use crate::positions::Positions;
use crate::record::{Bad, Item};
use crate::rejections::Rejections;
use crate::rejects::Rejects;
use crate::spool::{Appended, Room, Writer};
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use std::time::{Duration, Instant};

/// A full disk may get room by others' doing.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a full spool is not told of again.
const TOLD: Duration = Duration::from_secs(3600);

/// The input's end, as the spool has it.
#[derive(Debug, Default)]
pub struct Over {
    /// Records read.
    pub read: u64,
    /// Bytes of a record whose end had not come.
    pub partial: usize,
    /// What ended it before its end.
    pub failure: Option<Failure>,
    /// The spool takes no more, and the run is over with it.
    pub broken: Option<Failure>,
    /// Records that could not be sent, and are in `--rejects`.
    pub rejections: Rejections,
}

/// What the thread works with.
pub struct Spooling {
    /// What the input thread says.
    pub input: flume::Receiver<Input>,
    /// The spool's end that records go in at.
    pub writer: Writer,
    /// Its directory.
    pub directory: String,
    /// What to do when it is full.
    pub full: SpoolFull,
    /// Where records go that cannot be sent.
    pub rejects: Option<Rejects>,
    /// What records are called.
    pub positions: Positions,
    /// Where it tells what happens.
    pub diagnostics: Diagnostics,
}

impl Spooling {
    /// Starts the thread; what it hands over is its last word.
    ///
    /// # Errors
    /// When the thread cannot be made (74).
    pub fn start(self) -> Result<flume::Receiver<Over>, Failure> {
        let (sender, over) = flume::bounded(1);
        std::thread::Builder::new()
            .name("spooling".to_owned())
            .spawn(move || {
                let _ = sender.send(Thread { told: None, over: Over::default(), own: self }.run());
            })
            .map_err(|error| Failure::io("start to spool", &error))?;
        Ok(over)
    }
}

struct Thread {
    own: Spooling,
    over: Over,
    /// When a full spool was told of.
    told: Option<Instant>,
}

impl Thread {
    fn run(mut self) -> Over {
        loop {
            match self.own.input.recv() {
                Ok(Input::Items(items)) => match self.items(items) {
                    Ok(()) if self.over.failure.is_none() => {}
                    Ok(()) => break,
                    Err(broken) => {
                        self.over.broken = Some(broken);
                        break;
                    }
                },
                Ok(Input::End(End::Finished)) | Err(_) => break,
                Ok(Input::End(End::Stopped { partial })) => {
                    self.over.partial = partial;
                    break;
                }
                Ok(Input::End(End::Failed(failure))) => {
                    self.over.failure = Some(failure);
                    break;
                }
            }
        }
        if let Some(rejects) = &mut self.own.rejects
            && let Err(failure) = rejects.end().and_then(|()| rejects.sync())
        {
            self.over.failure.get_or_insert(failure);
        }
        self.over
    }

    fn items(&mut self, items: Vec<Item>) -> Result<(), Failure> {
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
                    if let Some(rejects) = &mut self.own.rejects
                        && let Err(failure) = rejects.rest(&bytes, more)
                    {
                        self.over.failure.get_or_insert(failure);
                    }
                }
            }
        }
        // What is good is kept, whatever came between.
        self.append(&payloads)
    }

    fn bad(&mut self, bad: Bad) {
        let why = bad.why.context(self.own.positions.of(bad.number));
        let Some(rejects) = &mut self.own.rejects else {
            self.over.failure.get_or_insert(why);
            return;
        };
        if let Err(lost) = rejects.bad(&bad.raw) {
            let failure = Failure::new(lost.exit(), format!("{why}; and {lost}"));
            self.over.failure.get_or_insert(failure);
            return;
        }
        let kept_in = rejects.name().to_owned();
        self.over.rejections.kept_in(&kept_in);
        self.over.rejections.add(bad.number, why, self.own.diagnostics);
    }

    /// Appends all, waiting for room where it has to.
    fn append(&mut self, payloads: &[Vec<u8>]) -> Result<(), Failure> {
        let mut rest = payloads;
        loop {
            let before = self.own.writer.next_sequence();
            let (taken, limit, why) = match self.own.writer.append(rest) {
                Ok(Appended::All) => return Ok(()),
                Ok(Appended::InMemory) => {
                    self.tell("no space left on its disk; what is sent goes through memory");
                    return Ok(());
                }
                Ok(Appended::Full(taken)) => (taken, None, "full (--spool-max)"),
                Ok(Appended::NoSpace(taken)) => {
                    (taken, Some(LOOK_AGAIN), "no space left on its disk")
                }
                Err(failure) => {
                    let taken = self.own.writer.next_sequence().saturating_sub(before);
                    let taken = usize::try_from(taken).unwrap_or(usize::MAX).min(rest.len());
                    return Err(unkept(&failure, rest.len() - taken));
                }
            };
            rest = &rest[taken..];
            let directory = &self.own.directory;
            if self.own.full == SpoolFull::Fail {
                let full = Failure::new(Exit::IoErr, format!("spool {directory}: {why}"));
                return Err(unkept(&full, rest.len()));
            }
            self.tell(&format!("{why}; the input waits"));
            match self.own.writer.wait_for_room(limit) {
                Ok(Room::Freed | Room::TimedOut) => {}
                Ok(Room::Stopped) => {
                    let text = format!("stopped while spool {} had no room", self.own.directory);
                    return Err(unkept(&Failure::new(Exit::TempFail, text), rest.len()));
                }
                Err(failure) => return Err(unkept(&failure, rest.len())),
            }
        }
    }

    fn tell(&mut self, what: &str) {
        if self.told.is_none_or(|told| told.elapsed() > TOLD) {
            self.told = Some(Instant::now());
            self.own.diagnostics.notice(&format!("spool {}: {what}", self.own.directory));
        }
    }
}

fn unkept(failure: &Failure, records: usize) -> Failure {
    if records == 0 {
        return failure.clone();
    }
    let text = format!("{failure}; the last {records} records read are not kept");
    Failure::new(failure.exit(), text)
}
