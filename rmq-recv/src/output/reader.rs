//! Noticing that the reader of standard output is gone, even while there is nothing to write.

use rmq_common::failure::Failure;
use rmq_common::thread;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::pipe::{PipeFlags, pipe_with};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// The watching thread. It holds standard output open until this is dropped.
#[derive(Debug)]
pub struct Watch {
    /// Signals that the reader is gone; never for a file.
    pub gone: flume::Receiver<()>,
    /// The thread ends when this is closed.
    end: Option<OwnedFd>,
}

/// Watches standard output.
pub fn watch() -> Result<Watch, Failure> {
    let problem = |error| Failure::io("watch standard output", &error);
    let output = io::stdout().as_fd().try_clone_to_owned().map_err(problem)?;
    let (ended, end) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| problem(error.into()))?;
    let (sender, gone) = flume::bounded(1);
    thread::start("reader", move || {
        // No events are requested, so only those come that are always reported: error and hang-up,
        // the latter for a pipe without a reader (poll(2)).
        let mut descriptors =
            [PollFd::new(&output, PollFlags::empty()), PollFd::new(&ended, PollFlags::empty())];
        // An error only means that the end is not noticed.
        let _ = retry_on_intr(|| poll(&mut descriptors, None));
        let is_gone = !descriptors[0].revents().is_empty();
        // Before the channel, whose end signals that the output is closed.
        drop(output);
        if is_gone {
            // The receiver is gone only if the tool is ending anyway.
            let _ = sender.send(());
        }
    })
    .map_err(problem)?;
    Ok(Watch { gone, end: Some(end) })
}

impl Watch {
    /// Ends the thread, and waits until it no longer holds standard output open.
    pub fn end(&mut self) {
        self.end = None;
        while self.gone.recv().is_ok() {}
    }
}
