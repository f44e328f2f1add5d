//! Reading the input on a thread of its own, a large block at a time.
//!
//! What a read gives goes on at once: a record is published when it arrives, never held to fill a
//! block. Before each read the thread waits for input or for the word to stop, so that after a
//! signal nothing is taken that is not sent or reported.

use crate::lines::{Lines, Record};
use rmq_common::exit::Exit;
use rmq_common::failure::{Cause, Failure};
use rustix::event::{PollFd, PollFlags, poll};
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::AsFd;

const BLOCK: usize = 256 << 10;

/// What the reading thread has to say.
#[derive(Debug)]
pub enum Input {
    /// The next records.
    Records(Vec<Record>),
    /// There will be no more.
    End(End),
}

/// Why there will be no more records.
#[derive(Debug)]
pub enum End {
    /// The input is over.
    Finished,
    /// [`Reader::stop`] was called; a line of so many bytes had begun.
    Stopped {
        /// Bytes read of a line whose end had not come.
        partial: usize,
    },
    /// Reading failed, or a record is bad.
    Failed(Failure),
}

/// The reading thread.
#[derive(Debug)]
pub struct Reader {
    receiver: flume::Receiver<Input>,
    stop: Option<PipeWriter>,
}

impl Reader {
    /// Begins to read standard input.
    ///
    /// # Errors
    /// When the thread or its pipe cannot be made (74).
    pub fn start(max_size: usize) -> Result<Self, Failure> {
        let problem = |error| Failure::io("read standard input", &error);
        let input = io::stdin().as_fd().try_clone_to_owned().map_err(problem)?;
        let (stopped, stop) = io::pipe().map_err(problem)?;
        // One batch in hand and one waiting: enough to keep busy, little to hold.
        let (sender, receiver) = flume::bounded(1);
        std::thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || {
                let end = read(File::from(input), &stopped, Lines::new(max_size), &sender);
                // Nobody receives it only where the tool is ending anyway.
                let _ = sender.send(Input::End(end));
            })
            .map_err(problem)?;
        Ok(Reader { receiver, stop: Some(stop) })
    }

    /// The next thing the thread has to say.
    pub async fn next(&self) -> Input {
        self.receiver.recv_async().await.unwrap_or(Input::End(End::Finished))
    }

    /// Asks for an end; what has been read already still comes first.
    pub fn stop(&mut self) {
        self.stop = None;
    }
}

fn read(
    mut input: File,
    stopped: &PipeReader,
    mut lines: Lines,
    sender: &flume::Sender<Input>,
) -> End {
    let mut block = vec![0; BLOCK];
    loop {
        match wait(&input, stopped) {
            Ok(true) => return End::Stopped { partial: lines.partial() },
            Ok(false) => {}
            Err(error) => return End::Failed(Failure::io("wait for standard input", &error)),
        }
        let length = match input.read(&mut block) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let line = lines.next_number();
                let why = Cause(&error);
                let text = format!("read standard input at line {line}: {why}");
                return End::Failed(Failure::new(Exit::IoErr, text));
            }
        };
        let mut records = Vec::new();
        let cut = if length == 0 {
            records.extend(lines.finish());
            Ok(())
        } else {
            lines.cut(&block[..length], &mut records)
        };
        if !records.is_empty() && sender.send(Input::Records(records)).is_err() {
            return End::Finished;
        }
        if let Err(too_long) = cut {
            return End::Failed(Failure::data(format!(
                "line {}: longer than --max-size {}",
                too_long.number,
                lines.max_size()
            )));
        }
        if length == 0 {
            return End::Finished;
        }
    }
}

/// Waits until there is input (or its end); true when told to stop.
fn wait(input: &File, stopped: &PipeReader) -> io::Result<bool> {
    let mut descriptors = [PollFd::new(input, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
    loop {
        match poll(&mut descriptors, None) {
            Ok(_) => return Ok(!descriptors[1].revents().is_empty()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
