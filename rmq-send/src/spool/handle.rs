//! A run with `--spool`: what differs from one without.

use crate::arguments::{Arguments, SpoolFull};
use crate::input::reader::{Plan, Reader, read_into};
use crate::results::rejects::Rejects;
use crate::spool::disk::{Directory, Done, Gauge, Left, Spool};
use crate::spool::feed::{self, Sequences};
use crate::spool::intake::{Over, Spooling};
use crate::spool::set_aside::{Kept, SetAside};
use rmq_common::count::counted;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::failure::Failure;
use rmq_common::runtime::sleep_until;
use std::cell::Cell;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The size of a spool in bytes, unless `--spool-max` says otherwise.
const MOST_BYTES: u64 = 1 << 30;
/// Bytes read at a time: what waits only in memory while the spool is full.
const BLOCK: usize = 64 << 10;
/// How often to check whether another rmq-send waits for the spool.
const BETWEEN_CHECKS: Duration = Duration::from_millis(200);

/// The spool, as the sender sees it.
#[derive(Debug)]
pub struct Spooled {
    directory: Arc<Directory>,
    done: Done,
    sequences: Sequences,
    /// Receives once, when all of the input is in the spool.
    over: flume::Receiver<Over>,
    /// Whether that has come.
    is_over: bool,
    /// Another rmq-send gets the spool next, and continues with what is left.
    handed_over: bool,
    /// When to check for that.
    checked: Cell<Instant>,
    /// The first of this run's own records, by its sequence number.
    first: u64,
}

impl Spooled {
    /// Opens the spool in `directory`, which is locked, and starts reading into it and out of it.
    ///
    /// # Errors
    /// It cannot be read or written (74).
    pub fn start(
        arguments: &Arguments,
        directory: Arc<Directory>,
        plan: Plan,
        rejects: Option<Rejects>,
        diagnostics: Diagnostics,
    ) -> Result<(Self, Reader, Rejects), Failure> {
        let shown = directory.path().display();
        let most = arguments.spool_max.unwrap_or(MOST_BYTES);
        let (writer, replay, done, found) = Spool::open(Arc::clone(&directory), most)?;
        diagnostics.trace(&format!("keeping records in the spool {shown}"));
        if let Some(torn) = &found.torn {
            diagnostics.notice(&format!("spool {torn}"));
        }
        for damage in &found.damaged {
            diagnostics.notice(&format!("spool {damage}"));
        }
        if found.cursor_damaged {
            let what = "its cursor cannot be read; some records may be sent again";
            diagnostics.notice(&format!("spool {shown}: {what}"));
        }
        if found.records > 0 {
            let (records, bytes) = (found.records, found.bytes);
            let records = counted(records, "record");
            let what = format!("{records} of an earlier run ({bytes} bytes) to be sent first");
            diagnostics.detail(&format!("spool {shown}: {what}"));
        }
        let positions = plan.positions.clone();
        let first = done.next();
        let [from_input, from_broker] = Rejects::in_spool(&directory);
        let rejects = match rejects {
            Some(rejects) => Kept::AsTheyStand(rejects),
            None => {
                let (composer, format) = (plan.composer.clone(), plan.format);
                let directory = Arc::clone(&directory);
                let aside =
                    SetAside::new(directory, from_input, composer, format, most, diagnostics);
                Kept::AsEnvelopes(Box::new(aside))
            }
        };
        let (sink, over) = Spooling {
            writer,
            directory: shown.to_string(),
            full: arguments.spool_full.unwrap_or(SpoolFull::Wait),
            rejects,
            positions,
            diagnostics,
        }
        .sink();
        let stop = read_into(plan, BLOCK, sink)?;
        let (replayed, sequences) = feed::start(replay, diagnostics)?;
        let checked = Cell::new(Instant::now());
        let (is_over, handed_over) = (false, false);
        let spooled =
            Spooled { directory, done, sequences, over, is_over, handed_over, checked, first };
        Ok((spooled, Reader::new(replayed, stop), from_broker))
    }

    /// Waits for the end of the input and, after it, until another rmq-send waits for the spool
    /// (`None`).
    pub async fn next(&self) -> Option<Over> {
        if !self.is_over {
            let over = self.over.recv_async().await;
            return Some(over.unwrap_or_else(|_| Over::lost()));
        }
        if self.handed_over {
            return pending().await;
        }
        self.awaited().await;
        None
    }

    /// Waits for the end of the input; `None` if its thread is gone.
    pub async fn input_over(&self) -> Option<Over> {
        self.over.recv_async().await.ok()
    }

    /// The input is over.
    pub fn end_input(&mut self) {
        self.is_over = true;
    }

    /// Whether all of the input is in the spool.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// The records up to `number` are done.
    pub fn is_done(&self, number: u64) {
        self.done.done(self.sequences.of(number));
    }

    /// Its state, for another thread.
    pub fn gauge(&self) -> impl Fn() -> Option<Gauge> + Send + use<> {
        self.done.gauge(self.first)
    }

    /// Whether nothing waits to be sent.
    pub fn holds_nothing(&self) -> bool {
        self.done.kept() == 0 && self.done.in_memory() == 0
    }

    /// Nothing more goes into the spool.
    pub fn stop_writer(&self) {
        self.done.stop_writer();
    }

    /// Nothing more goes in or comes out.
    pub fn stop(&self) {
        self.done.stop();
    }

    /// What is left goes to another rmq-send.
    pub fn hand_over(&mut self) {
        self.handed_over = true;
        self.done.stop();
    }

    /// Whether another rmq-send gets what is left.
    pub fn is_handed_over(&self) -> bool {
        self.handed_over
    }

    /// Its directory, for diagnostics.
    pub fn shown(&self) -> String {
        self.directory.path().display().to_string()
    }

    /// Closes it.
    ///
    /// # Errors
    /// What was done may not be on disk (74).
    pub fn close(self) -> Result<Left, Failure> {
        self.done.close()
    }

    /// Waits until another rmq-send waits for the spool.
    pub async fn awaited(&self) {
        loop {
            sleep_until(Some(self.checked.get())).await;
            self.checked.set(Instant::now() + BETWEEN_CHECKS);
            if self.directory.is_awaited() {
                return;
            }
        }
    }
}
