//! The thread that follows: reads a block of each file in turn while there is anything to read.
//!
//! While what was read cannot be handed over, because the broker takes nothing, it still searches
//! for new files and opens them: an open file can be read whatever happens to its name.

use crate::follow::generation::{Block, Generation};
use crate::follow::log::Log;
use crate::follow::tools::Tools;
use crate::follow::watch::Woken;
use crate::input::numbering::Numbering;
use crate::input::reader::{End, Input};
use crate::input::utf16::Utf16;
use crate::record::compose::Composer;
use rmq_common::failure::Failure;
use std::collections::BTreeSet;
use std::io::{self, PipeReader};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes read of one file before the next has its turn.
const BLOCK: usize = 64 << 10;
/// How often everything is checked without events: a network file system does not report other
/// machines' writes.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How often if a rotation is not over, or a file is missing.
const RESTLESS: Duration = Duration::from_millis(250);
/// How often if the system does not report changes.
const UNWATCHED: Duration = Duration::from_millis(40);
/// The same, for files that have been quiet for [`ACTIVE`].
const UNWATCHED_QUIET: Duration = Duration::from_secs(1);
/// For how long a file that has changed is likely to change again.
const ACTIVE: Duration = Duration::from_secs(10);

/// The follower of several files.
pub struct Follower {
    logs: Vec<Log>,
    composers: Vec<Composer>,
    tools: Tools,
    numbering: Numbering,
    utf16: Utf16,
    sender: flume::Sender<Input>,
    stopped: PipeReader,
    block: Vec<u8>,
    /// Logs that may have something to read.
    waiting: BTreeSet<usize>,
    /// When all were last checked.
    looked: Instant,
    /// When anything was last read.
    active: Instant,
}

/// The end of the reading.
struct Over(End);

impl Follower {
    /// Follows `logs`, whose records `composers` make.
    pub fn new(
        logs: Vec<Log>,
        composers: Vec<Composer>,
        tools: Tools,
        numbering: Numbering,
        sender: flume::Sender<Input>,
        stopped: PipeReader,
    ) -> Self {
        let mut logs = logs;
        if tools.once {
            // Anything written from now on is left to the next run.
            logs.iter_mut().for_each(|log| log.measure(&tools));
        }
        let utf16 = Utf16::new(tools.framing.0, tools.diagnostics);
        let waiting = (0..logs.len()).collect();
        let (looked, active) = (Instant::now(), Instant::now());
        Follower {
            logs,
            composers,
            tools,
            numbering,
            utf16,
            sender,
            stopped,
            block: vec![0; BLOCK],
            waiting,
            looked,
            active,
        }
    }

    /// Follows until the end, and hands over how it ended.
    pub fn run(mut self) {
        let end = loop {
            if let Err(Over(end)) = self.round() {
                break end;
            }
        };
        // The receiver is gone only if the tool is ending anyway.
        let _ = self.sender.send(Input::End(end));
    }

    /// Reads a block of each file that may have one; waits if there is nothing more.
    fn round(&mut self) -> Result<(), Over> {
        for index in std::mem::take(&mut self.waiting) {
            if !self.tools.once && self.logs[index].look(&mut self.tools).is_err() {
                continue;
            }
            if self.read(index)? {
                self.waiting.insert(index);
                self.active = Instant::now();
            }
        }
        if self.tools.once && self.waiting.is_empty() {
            let end = self.tools.take_gap().map_or(End::Finished, End::Failed);
            return Err(Over(end));
        }
        let time = if self.waiting.is_empty() { self.pause() } else { Duration::ZERO };
        self.notice(time)
    }

    /// How long to wait before checking everything, if no change is reported.
    fn pause(&self) -> Duration {
        let pause = match self.tools.watch.is_short() {
            true if self.active.elapsed() < ACTIVE => UNWATCHED,
            true => UNWATCHED_QUIET,
            false if self.logs.iter().any(Log::is_restless) => RESTLESS,
            false => LOOK_AGAIN,
        };
        pause.saturating_sub(self.looked.elapsed())
    }

    /// Handles reported changes, waiting at most this long.
    fn notice(&mut self, time: Duration) -> Result<(), Over> {
        let failed =
            |error: io::Error| Over(End::Failed(Failure::io("wait for files to change", &error)));
        match self.tools.watch.wait(&self.stopped, time).map_err(failed)? {
            Woken::Stop => return Err(Over(self.stopped())),
            Woken::Changed(logs) => self.waiting.extend(logs),
            Woken::All => self.waiting.extend(0..self.logs.len()),
        }
        if !self.tools.once && self.waiting.is_empty() && self.pause().is_zero() {
            self.looked = Instant::now();
            self.waiting.extend(0..self.logs.len());
        }
        Ok(())
    }

    /// A record that has begun is left to the next run, unless nothing says where that is to begin.
    fn stopped(&self) -> End {
        let partial: u64 = self.logs.iter().map(Log::partial).sum();
        let partial = if self.tools.register.is_saved() { 0 } else { partial };
        End::Stopped { partial: usize::try_from(partial).unwrap_or(usize::MAX) }
    }

    /// Reads a block of one log. Returns whether there may be more.
    fn read(&mut self, index: usize) -> Result<bool, Over> {
        let log = &mut self.logs[index];
        if !self.tools.once {
            log.measure(&self.tools);
        }
        if !log.is_settled() {
            // Otherwise the next round checks.
            if self.tools.once {
                // If files are being renamed just now, the next round tries again.
                let _ = log.look_beside(&mut self.tools);
            }
            return Ok(true);
        }
        let name = Arc::clone(log.name());
        if let Some(generation) = log.readable() {
            let begins = generation.seen().offset() == 0;
            let (number, file) = (generation.number, Arc::clone(generation.file()));
            let read = generation
                .read(&mut self.block)
                .map_err(|error| Over(End::Failed(Failure::io(format!("read {name}"), &error))))?;
            if matches!(read, Block::Other) {
                if generation.is_rotated() {
                    log.lose_rotated(number, &mut self.tools);
                } else if self.tools.once {
                    log.cut_off(number, &mut self.tools);
                }
                // The next round finds out what happened to its name.
                return Ok(true);
            }
            self.tools.register.seen(number, generation.seen());
            if begins {
                self.utf16.begins(&name, generation.seen().head());
            }
            if let Block::Pieces(pieces) = read {
                self.hand_over(index, number, &file, pieces)?;
            }
            return Ok(true);
        }
        let Some(mut over) = log.over(self.tools.once) else { return Ok(false) };
        self.end(index, &mut over)?;
        Ok(true)
    }

    /// Handles the end of a generation.
    fn end(&mut self, index: usize, over: &mut Generation) -> Result<(), Over> {
        let (number, file) = (over.number, Arc::clone(over.file()));
        let pieces = over.finish();
        self.hand_over(index, number, &file, pieces)?;
        self.tools.watch.forget(number);
        self.tools.register.end(number);
        Ok(())
    }

    /// Opens files that appeared while nothing can be handed over.
    fn look_meanwhile(&mut self) -> Result<(), Over> {
        let before = std::mem::take(&mut self.waiting);
        self.notice(Duration::ZERO)?;
        if !self.tools.once {
            for index in &self.waiting {
                if self.logs[*index].look(&mut self.tools).is_ok() {
                    self.logs[*index].measure(&self.tools);
                }
            }
        }
        self.waiting.extend(before);
        Ok(())
    }
}

mod handing;
