//! A run with `--spool`: what differs from one without.

use crate::arguments::{Arguments, SpoolFull};
use crate::input::reader::{Input, Plan, Reader, read_into};
use crate::results::rejects::Rejects;
use crate::sender::{LAST_CONFIRMS, Sender};
use crate::spool::disk::{Directory, Done, Spool};
use crate::spool::feed::{self, Sequences};
use crate::spool::intake::{Over, Spooling};
use crate::spool::set_aside::{Kept, SetAside};
use rmq_common::count::counted;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::failure::Failure;
use rmq_common::retry::Patience;
use rmq_common::runtime::sleep_until;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes in a spool, unless `--spool-max` says otherwise.
const MOST_BYTES: u64 = 1 << 30;
/// Bytes read at once: what waits in memory alone while the spool is full.
const BLOCK: usize = 64 << 10;
/// How often it is looked whether another rmq-send waits for the spool.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// The spool, as the sender sees it.
#[derive(Debug)]
pub struct Spooled {
    pub(crate) directory: Arc<Directory>,
    pub(crate) done: Done,
    pub(crate) sequences: Sequences,
    /// Comes once, when all of the input is in the spool.
    pub(crate) over: flume::Receiver<Over>,
    /// It has come.
    pub(crate) is_over: bool,
    /// Another rmq-send has it next, and goes on with what is left.
    pub(crate) handed_over: bool,
    /// When it is looked for such a one.
    looked: Cell<Instant>,
}

impl Spooled {
    /// Opens the spool in `directory`, which is locked, and begins to read, into it and out of it.
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
        let looked = Cell::new(Instant::now());
        let (is_over, handed_over) = (false, false);
        let spooled = Spooled { directory, done, sequences, over, is_over, handed_over, looked };
        Ok((spooled, Reader::new(replayed, stop), from_broker))
    }

    /// Waits until another rmq-send waits for the spool.
    pub(crate) async fn awaited(&self) {
        loop {
            sleep_until(Some(self.looked.get())).await;
            self.looked.set(Instant::now() + BETWEEN_LOOKS);
            if self.directory.is_awaited() {
                return;
            }
        }
    }
}

impl Sender {
    /// All of the input is in the spool: from now on `--retry` counts.
    pub(crate) fn spooled(&mut self, over: Over) {
        if let Some(spooled) = &mut self.job.spooled {
            spooled.is_over = true;
        }
        self.tally.read = over.read;
        self.tally.rejected += over.rejections.count();
        self.verdict.partial(over.partial);
        self.verdict.reject_input(over.rejections);
        if let Some(failure) = over.failure {
            self.verdict.fail_input(failure);
        }
        self.verdict.unkept(over.unkept);
        if let Some(broken) = over.broken {
            self.give_up(broken);
        }
        self.patience = Patience::new(self.job.retry);
    }

    /// The input is over, and another rmq-send waits for the spool, with an input of its own that it does not read
    /// before it has it. So this one stops, and leaves what it has not sent.
    pub(crate) fn hand_over(&mut self) {
        let Some(spooled) = &mut self.job.spooled else { return };
        spooled.handed_over = true;
        spooled.done.stop();
        self.reader.stop();
        self.read.clear();
        self.deadline.get_or_insert_with(|| Instant::now() + LAST_CONFIRMS);
        self.verdict.handed_over();
    }

    /// Ends a run with a spool: what is not done stays in it.
    pub(crate) async fn leave_spool(&mut self) {
        self.reader.stop();
        let Some(spooled) = &self.job.spooled else { return };
        spooled.done.stop();
        let (receiver, is_over) = (spooled.over.clone(), spooled.is_over);
        while !self.input_over {
            // What it has to say is in the spool.
            let ended = matches!(self.reader.next().await, Input::End(_));
            self.input_over = ended;
        }
        if !is_over && let Ok(over) = receiver.recv_async().await {
            self.spooled(over);
        }
        let Some(spooled) = self.job.spooled.take() else { return };
        if let Some(rejects) = &self.job.rejects {
            self.verdict.rejections().are(rejects.whereabouts());
        }
        match spooled.done.close() {
            Ok(left) => {
                let directory = spooled.directory.path().display().to_string();
                self.verdict.spool_keeps(&directory, left.kept, left.in_memory);
            }
            Err(failure) => self.verdict.fail(failure),
        }
    }
}
