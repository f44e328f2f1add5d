//! Threads by name.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread; its name is what `ps -T` shows.
///
/// # Errors
/// The system has no room for one more.
pub fn start<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.to_owned()).spawn(run)
}
