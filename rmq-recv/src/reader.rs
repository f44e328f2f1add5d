//! Noticing that whoever reads standard output is gone, also while there is nothing to write.

use rmq_common::failure::Failure;
use rustix::event::{PollFd, PollFlags, poll};
use std::io;
use std::os::fd::AsFd;

/// Watches standard output; the message says that its reader is gone. On a file it never comes.
///
/// # Errors
/// When the thread cannot be started (74).
pub fn watch() -> Result<flume::Receiver<()>, Failure> {
    let problem = |error| Failure::io("watch standard output", &error);
    let output = io::stdout().as_fd().try_clone_to_owned().map_err(problem)?;
    let (sender, receiver) = flume::bounded(1);
    std::thread::Builder::new()
        .name("reader".to_owned())
        .spawn(move || {
            // Nothing is asked for, so only what is always told comes: error and hang-up, which is
            // how a pipe without a reader shows (poll(2)).
            let mut descriptors = [PollFd::new(&output, PollFlags::empty())];
            while let Err(rustix::io::Errno::INTR) = poll(&mut descriptors, None) {}
            // Nobody receives it only where the tool is ending anyway.
            let _ = sender.send(());
        })
        .map_err(problem)?;
    Ok(receiver)
}
