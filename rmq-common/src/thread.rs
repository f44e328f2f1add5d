//! Threads by name, and the limit on their number.

use std::io::{Error, ErrorKind, Result};
use std::thread::{Builder, JoinHandle};

/// What limits their number, and that of the processes that a tool starts.
pub const LIMIT: &str = "the limit on processes and threads (ulimit -u, or the container's)";

/// Starts a thread with a name, which `ps -T` shows.
///
/// # Errors
/// The system has no room for one more.
pub fn start<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    Builder::new().name(name.to_owned()).spawn(run).map_err(why)
}

/// Why a thread or a process was not started: EAGAIN means the limit, which its text does not say.
pub fn why(error: Error) -> Error {
    match error.kind() {
        ErrorKind::WouldBlock => Error::new(ErrorKind::WouldBlock, format!("{LIMIT} is reached")),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_named_and_other_causes_stay() {
        assert!(why(rustix::io::Errno::AGAIN.into()).to_string().contains("ulimit -u"));
        assert_eq!(why(rustix::io::Errno::NOENT.into()).raw_os_error(), Some(2));
    }
}
