//! `--ack downstream`: a message counts as taken when a later sender in the pipeline reports it.
//!
//! A report that cannot be true is not obeyed: a count that goes down or exceeds what was written,
//! the name of a delivery that never existed or is done already, anything from another sender. Each
//! kind is reported once. Both sides keep counting across connections: a message of a lost
//! connection can be done, but can no longer be acknowledged, and is delivered again.

use crate::delivery::ids::{Delivery, Ids};
use crate::downstream::fifo::AckFifo;
use crate::downstream::lines::{Report, Why};
use crate::receiver::hand::Hand;
use rmq_common::count::counted;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::failure::Failure;
use rmq_common::standing::repeats::Repeats;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// How long everything may wait for a silent sender before that is reported.
const SILENCE: Duration = Duration::from_secs(5);

/// How long the sender must be silent before a queue without messages counts as drained although
/// written messages are not done: usually as long as a queue takes to get another leader.
const STILL: Duration = Duration::from_secs(1);

/// How long everything may wait for a sender that has never announced itself. If it died before
/// that, the filter knows nothing of it, and the wait would last forever.
const NO_SENDER: Duration = Duration::from_secs(60);

/// The sender at the end of the pipeline, and what it has reported.
#[derive(Debug)]
pub struct Downstream {
    /// The FIFO that it writes to.
    pub fifo: AckFifo,
    path: String,
    diagnostics: Diagnostics,
    /// Set if it reports deliveries by name, and not records by number.
    names: Option<Ids>,
    /// The highest number of records that it has reported as done.
    records: u64,
    /// The number of records written, as the filter counts them.
    written: u64,
    reported: HashSet<&'static str>,
    /// When it last reported progress, or something was written.
    moved: Instant,
    reported_silence: bool,
    silences: Repeats,
    /// Its end is not reported, because the run ends as well.
    is_last_silence: bool,
}

impl Downstream {
    /// Listens at `path`; with `names`, for names of deliveries.
    ///
    /// # Errors
    /// It does not exist, or is not a FIFO (64); it cannot be read (74).
    pub fn new(path: &str, names: Option<Ids>, diagnostics: Diagnostics) -> Result<Self, Failure> {
        Ok(Downstream {
            fifo: AckFifo::open(path)?,
            path: path.to_owned(),
            diagnostics,
            names,
            records: 0,
            written: 0,
            reported: HashSet::new(),
            moved: Instant::now(),
            reported_silence: false,
            silences: Repeats::new(1),
            is_last_silence: false,
        })
    }

    /// The name of a delivery, if the sender uses names.
    pub fn name(&self, delivery: Delivery) -> Option<String> {
        self.names.as_ref().map(|names| names.name(delivery))
    }

    /// Marks as done what the sender has reported meanwhile.
    pub fn apply_rest(&mut self, hand: &mut Hand) {
        while let Ok(said) = self.fifo.reports.try_recv() {
            self.apply(said, hand);
        }
    }

    /// Marks as done what the sender reports.
    pub fn apply(&mut self, said: Report, hand: &mut Hand) {
        let done = hand.done_count();
        match said {
            Report::Records(number) => self.records_to(number, hand),
            Report::Delivery(name) => self.delivery(&name, hand),
            Report::Ignored(why) => self.report_once(match why {
                Why::Malformed => "a line that rmq-send --ack-to does not write",
                Why::OtherSender => "an acknowledgement from another sender than the first",
                Why::SecondSender => "a second sender announced itself",
                Why::EarlierSender => "a sender of an earlier run announced itself",
                Why::LeftOver => "a line that an earlier sender left in the FIFO",
            }),
        }
        if hand.done_count() > done {
            if self.reported_silence && !self.is_last_silence {
                self.diagnostics.notice("records are acknowledged again");
            }
            self.moved();
        }
    }

    fn records_to(&mut self, number: u64, hand: &mut Hand) {
        if self.names.is_some() {
            self.report_once(
                "the sender acknowledges records by number, but --format json needs ids",
            );
        } else if number < self.records {
            self.report_once("the sender acknowledged fewer records than before");
        } else if number > self.written {
            self.report_once("the sender acknowledged more records than were written");
        } else {
            self.records = number;
            hand.done_to_record(number);
        }
    }

    fn delivery(&mut self, name: &str, hand: &mut Hand) {
        let Some(names) = &self.names else {
            self.report_once("the sender acknowledges records by id, which only --format json has");
            return;
        };
        match names.delivery(name) {
            None => self.report_once("an id that is not from this run"),
            // Done, but too late: its channel is gone, and it is delivered again.
            Some(delivery) if delivery.channel < hand.channel() => {}
            Some(delivery) if hand.done(delivery) => {}
            Some(_) => self.report_once("an id that was acknowledged before or never written"),
        }
    }

    /// What the sender reports next; pending forever after its end.
    pub async fn next(&self) -> Report {
        match self.fifo.reports.recv_async().await {
            Ok(said) => said,
            Err(_) => std::future::pending().await,
        }
    }

    /// Counts records that are being written; returns the new total.
    pub fn count(&mut self, records: u64) -> u64 {
        self.written += records;
        self.written
    }

    /// The number of records written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Corrects the count to `written`: the rest of a batch was not written.
    pub fn take_back_to(&mut self, written: u64) {
        self.written = written;
    }

    /// Something was written, or is done.
    pub fn moved(&mut self) {
        self.moved = Instant::now();
        self.reported_silence = false;
    }

    /// When it will have been silent for so long that a filter must be keeping the outstanding
    /// records until its input ends, or has dropped them.
    pub fn still_at(&self) -> Instant {
        self.moved + STILL
    }

    /// When a silence is to be reported, or ends the run.
    pub fn silent_at(&self) -> Option<Instant> {
        match (self.reported_silence, self.fifo.is_announced()) {
            (false, _) => {
                let due = self.moved + SILENCE;
                Some(self.silences.until().map_or(due, |until| until.max(due)))
            }
            (true, false) => Some(self.moved + NO_SENDER),
            (true, true) => None,
        }
    }

    /// Whether no sender will come.
    pub fn is_abandoned(&self) -> bool {
        !self.fifo.is_announced() && self.moved.elapsed() >= NO_SENDER
    }

    /// Reports that the sender has been silent while `waiting` messages wait for it; `ended` says
    /// whether standard output is closed, so that no filter can be waiting for more.
    pub fn report_silence(&mut self, waiting: u64, ended: bool) {
        (self.reported_silence, self.is_last_silence) = (true, ended);
        self.silences.another(Instant::now());
        let records = counted(waiting, "record");
        let text = if !self.fifo.is_announced() {
            format!("no sender has opened {} (rmq-send --ack-to); {records} waiting", self.path)
        } else if ended {
            format!("waiting for the acknowledgement of the last {records}")
        } else {
            format!(
                "the filter is holding {records}; is it buffering? (stdbuf -oL, sed -u, jq \
                 --unbuffered)"
            )
        };
        self.diagnostics.notice(&text);
    }

    fn report_once(&mut self, what: &'static str) {
        if self.reported.insert(what) {
            self.diagnostics.notice(&format!("read {}: {what} (ignored)", self.path));
        }
    }
}
