//! Reads the input on a separate thread, a large block at a time.
//!
//! The result of a read goes on at once: a record is published when it arrives, never held to fill
//! a block. Before each read the thread waits for input or for a request to stop, so that after a
//! signal nothing is taken that is not sent or reported.

use crate::input::cut::Cutter;
use crate::input::framing::Format;
use crate::input::numbering::Numbering;
use crate::input::positions::Positions;
use crate::input::sources::Source;
use crate::input::utf16::Utf16;
use crate::record::compose::Composer;
use crate::record::item::Item;
use rmq_common::count::counted;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::{Cause, Failure};
use rmq_common::thread;
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use rustix::io::{Errno, read, retry_on_intr};
use std::io::{self, PipeReader, PipeWriter};

const BLOCK: usize = 256 << 10;

/// What the reading thread hands over.
#[derive(Debug)]
pub enum Input {
    /// The next items.
    Items(Vec<Item>),
    /// There will be no more.
    End(End),
}

/// Why there will be no more records.
#[derive(Debug)]
pub enum End {
    /// The input is over.
    Finished,
    /// [`Reader::stop`] was called.
    Stopped {
        /// Bytes read from a record whose end had not come.
        partial: usize,
    },
    /// Reading failed, or the input does not have its framing.
    Failed(Failure),
}

/// How to read.
pub struct Plan {
    /// What to read, one after another.
    pub sources: Vec<Source>,
    /// The input's format.
    pub format: Format,
    /// The most bytes that a record may have.
    pub max_size: usize,
    /// What turns records into messages.
    pub composer: Composer,
    /// Where the files' first records are noted.
    pub positions: Positions,
    /// Whether to continue reading after a bad record.
    pub beyond_bad: bool,
    /// Whether the last record must have its delimiter: a dead filter may have left part of one.
    pub must_end: bool,
    /// Where problems are reported.
    pub diagnostics: Diagnostics,
}

/// The reading thread.
#[derive(Debug)]
pub struct Reader {
    receiver: flume::Receiver<Input>,
    stop: Option<PipeWriter>,
}

impl Reader {
    /// Begins to read.
    pub fn start(plan: Plan) -> Result<Self, Failure> {
        // One batch in use and one waiting: enough to keep busy, and little to hold.
        let (sender, receiver) = flume::bounded(1);
        let stop = read_into(plan, BLOCK, move |input| sender.send(input).is_ok())?;
        Ok(Reader::new(receiver, stop))
    }

    /// Receives from a thread; dropping the pipe stops its reading.
    pub fn new(receiver: flume::Receiver<Input>, stop: PipeWriter) -> Self {
        Reader { receiver, stop: Some(stop) }
    }

    /// The next thing that the thread hands over.
    pub async fn next(&self) -> Input {
        let gone = || Failure::new(Exit::Software, "the thread that reads is gone");
        self.receiver.recv_async().await.unwrap_or_else(|_| Input::End(End::Failed(gone())))
    }

    /// Asks the thread to stop; what has already been read still comes first.
    pub fn stop(&mut self) {
        self.stop = None;
    }
}

/// Reads on a thread, blocks of some `block` bytes, and hands what it finds to `sink`, which says whether
/// more is wanted. Dropping the pipe it gives back stops it.
pub fn read_into(
    plan: Plan,
    block: usize,
    mut sink: impl FnMut(Input) -> bool + Send + 'static,
) -> Result<PipeWriter, Failure> {
    let problem = |error| Failure::io("start to read", &error);
    let (stopped, stop) = io::pipe().map_err(problem)?;
    let numbering = Numbering::new(plan.max_size, plan.beyond_bad);
    let watch = Utf16::new(plan.format, plan.diagnostics);
    thread::start("input", move || {
        let end = Reading { plan, stopped, sink: &mut sink, numbering, watch }.read(block);
        // The receiver is gone only if the tool is ending anyway.
        sink(Input::End(end));
    })
    .map_err(problem)?;
    Ok(stop)
}

struct Reading<'a, Sink> {
    plan: Plan,
    stopped: PipeReader,
    sink: &'a mut Sink,
    numbering: Numbering,
    watch: Utf16,
}

impl<Sink: FnMut(Input) -> bool> Reading<'_, Sink> {
    fn read(mut self, block: usize) -> End {
        let mut broken = None;
        for source in std::mem::take(&mut self.plan.sources) {
            match self.source(&source, block) {
                // The files that follow are whole.
                Some(End::Failed(failure)) if self.plan.beyond_bad => match broken {
                    None => broken = Some(failure),
                    Some(_) => self.plan.diagnostics.notice(&failure.to_string()),
                },
                Some(end) => return end,
                None => {}
            }
        }
        broken.map_or(End::Finished, End::Failed)
    }

    /// Reads one source; `None` at its end, if there may be another.
    fn source(&mut self, source: &Source, block: usize) -> Option<End> {
        if let Some(name) = source.name() {
            self.plan.positions.begin(name, self.numbering.next());
        }
        let file = match source.open() {
            Ok(file) => file,
            Err(error) => return Some(self.failed(source, &error)),
        };
        if let Some(name) = source.path() {
            self.plan.diagnostics.trace(&format!("reading {name}"));
        }
        let composer = self.plan.composer.of_source(source.path());
        let mut cutter = Cutter::new(self.plan.format, self.plan.max_size, block);
        let mut cuts = Vec::new();
        let mut begins = true;
        loop {
            match wait(&file, &self.stopped) {
                Ok(true) => return Some(End::Stopped { partial: cutter.partial() }),
                Ok(false) => {}
                Err(error) => return Some(self.failed(source, &error)),
            }
            let partial = cutter.partial();
            let room = cutter.room();
            let before = room.len();
            let length = match read(&file, spare_capacity(room)) {
                Ok(length) => length,
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(error) => return Some(self.failed(source, &error.into())),
            };
            if std::mem::take(&mut begins) {
                self.watch.begins(source.noun(), &room[before..]);
            }
            if length == 0 && partial > 0 && self.plan.must_end {
                let position = self.plan.positions.of(self.numbering.next());
                return Some(End::Failed(Failure::data(format!(
                    "{position}: {} of an incomplete record not sent (--ack-to: the \
                     filter may have died)",
                    counted(partial as u64, "byte")
                ))));
            }
            let cut = match length {
                0 => cutter.finish(&mut cuts),
                _ => cutter.cut(&mut cuts),
            };
            let (items, goes_on) = self.numbering.items(&composer, &mut cuts);
            if !items.is_empty() && !(self.sink)(Input::Items(items)) {
                return Some(End::Stopped { partial: cutter.partial() });
            }
            if !goes_on {
                return Some(End::Finished);
            }
            if let Err(broken) = cut {
                let position = self.plan.positions.of(self.numbering.next());
                return Some(End::Failed(Failure::data(format!("{position}: {}", broken.0))));
            }
            if length == 0 {
                return None;
            }
        }
    }

    fn failed(&self, source: &Source, error: &io::Error) -> End {
        let (source, why) = (source.noun(), Cause(error));
        let text = match self.plan.positions.of(self.numbering.next()) {
            position if position.starts_with(source) => format!("read {position}: {why}"),
            position => format!("read {source} at {position}: {why}"),
        };
        End::Failed(Failure::new(Exit::IoErr, text))
    }
}

/// Waits until there is input (or its end); true when reported to stop.
fn wait(input: &OwnedFd, stopped: &PipeReader) -> io::Result<bool> {
    let mut descriptors = [PollFd::new(input, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
    retry_on_intr(|| poll(&mut descriptors, None))?;
    Ok(!descriptors[1].revents().is_empty())
}
