//! The pipe into a program: its content, and how much of it has been read.

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::ioctl_fionread;
use std::collections::VecDeque;
use std::io::{PipeReader, PipeWriter, Write};

/// A pipe to which lines are written as it accepts them, without waiting.
#[derive(Debug)]
pub struct Feed {
    /// `None` once it is closed.
    writer: Option<PipeWriter>,
    pending: VecDeque<u8>,
    /// Where each line ends, in bytes from the beginning.
    ends: Vec<usize>,
    written: usize,
}

impl Feed {
    /// A new pipe, with the end to read from.
    ///
    /// # Panics
    /// When there is none.
    pub fn new() -> (PipeReader, Self) {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        fcntl_setfl(&writer, OFlags::NONBLOCK).expect("a pipe that does not block");
        let (pending, ends) = (VecDeque::new(), Vec::new());
        (reader, Feed { writer: Some(writer), pending, ends, written: 0 })
    }

    /// A line, with its end.
    pub fn offer(&mut self, line: &str) {
        self.ends.push(self.ends.last().unwrap_or(&0) + line.len());
        self.pending.extend(line.as_bytes());
    }

    /// Writes what the pipe takes.
    pub fn pump(&mut self) {
        while !self.pending.is_empty() {
            let (bytes, _) = self.pending.as_slices();
            // The pipe is full, or its reader is gone, which waiting for that will show.
            let Some(Ok(length)) = self.writer.as_mut().map(|pipe| pipe.write(bytes)) else {
                return;
            };
            self.pending.drain(..length);
            self.written += length;
        }
    }

    /// Whether everything is in the pipe.
    pub fn is_written(&self) -> bool {
        self.pending.is_empty()
    }

    /// Ends it.
    pub fn close(&mut self) {
        self.writer = None;
    }

    /// How many complete lines have been read, while it is not closed.
    ///
    /// # Panics
    /// When that cannot be determined.
    pub fn read(&self) -> usize {
        let tell = |pipe| ioctl_fionread(pipe).expect("what is in the pipe");
        let left = self.writer.as_ref().map_or(0, tell) as usize;
        self.ends.partition_point(|end| *end <= self.written - left)
    }
}
