//! Threads by name.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread; its name is what `ps -T` shows.
///
/// # Errors
/// The system has no room for one more.
pub fn start(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(run)
}
