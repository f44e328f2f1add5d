//! A run with `--spool`: what differs from one without.

use crate::arguments::{Arguments, SpoolFull};
use crate::framing::Format;
use crate::input::{Input, Plan, Reader, read_into};
use crate::rejects::Rejects;
use crate::replaying::{self, Sequences};
use crate::sender::Sender;
use crate::spool::{Done, Spool};
use crate::spooling::{Over, Spooling};
use rmq_common::diagnostics::Diagnostics;
use rmq_common::failure::Failure;
use rmq_common::retry::Patience;
use std::path::Path;

/// Bytes in a spool, unless `--spool-max` says otherwise.
const MOST_BYTES: u64 = 1 << 30;
/// Bytes read at once: what waits in memory alone while the spool is full.
const BLOCK: usize = 64 << 10;

/// The spool, as the sender sees it.
#[derive(Debug)]
pub struct Spooled {
    pub(crate) directory: String,
    pub(crate) done: Done,
    pub(crate) sequences: Sequences,
    /// Comes once, when all of the input is in the spool.
    pub(crate) over: flume::Receiver<Over>,
    /// It has come.
    pub(crate) is_over: bool,
}

impl Spooled {
    /// Opens the spool and begins to read, into it and out of it.
    ///
    /// # Errors
    /// Another rmq-send has it (75); it cannot be read or written (74).
    pub fn start(
        arguments: &Arguments,
        directory: &str,
        plan: Plan,
        rejects: Option<Rejects>,
        diagnostics: Diagnostics,
    ) -> Result<(Self, Reader), Failure> {
        let path = Path::new(directory);
        let most = arguments.spool_max.unwrap_or(MOST_BYTES);
        let (writer, replay, done, found) = Spool::open(path, most)?;
        if let Some(torn) = &found.torn {
            diagnostics.notice(&format!("spool {torn}"));
        }
        for damage in &found.damaged {
            diagnostics.notice(&format!("spool {damage}"));
        }
        if found.cursor_damaged {
            let what = "its cursor cannot be read; some records may be sent again";
            diagnostics.notice(&format!("spool {directory}: {what}"));
        }
        if found.records > 0 {
            let (records, bytes) = (found.records, found.bytes);
            let what = format!("{records} records of an earlier run ({bytes} bytes) go first");
            diagnostics.detail(&format!("spool {directory}: {what}"));
        }
        let positions = plan.positions.clone();
        let (sink, over) = Spooling {
            writer,
            directory: directory.to_owned(),
            full: arguments.spool_full.unwrap_or(SpoolFull::Wait),
            rejects,
            positions,
            diagnostics,
        }
        .sink();
        let stop = read_into(plan, BLOCK, sink)?;
        let (replayed, sequences) = replaying::start(replay, diagnostics)?;
        let directory = directory.to_owned();
        let spooled = Spooled { directory, done, sequences, over, is_over: false };
        Ok((spooled, Reader::new(replayed, stop)))
    }
}

/// Where a run with a spool in `directory` keeps what the broker refuses for good.
pub fn rejects(directory: &str) -> Rejects {
    let name = Path::new(directory).join("rejected");
    Rejects::new(&name.to_string_lossy(), Format::Json)
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
            self.verdict.rejections().kept_in(rejects.name());
        }
        match spooled.done.close() {
            Ok(left) => self.verdict.spool_keeps(&spooled.directory, left.kept, left.in_memory),
            Err(failure) => self.verdict.fail(failure),
        }
    }
}
