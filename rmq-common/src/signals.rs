//! SIGINT, SIGTERM and SIGHUP as messages instead of an end in the middle of things.

use crate::failure::Failure;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

/// Signals that ask the tool to finish, as they come. A signal that was ignored when the tool
/// started stays ignored, as `nohup` expects.
///
/// # Errors
/// When the operating system refuses a handler or a thread (74).
pub fn requests_to_stop() -> Result<flume::Receiver<i32>, Failure> {
    let wanted: Vec<i32> =
        [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !ignored_at_start(*signal)).collect();
    let mut signals =
        Signals::new(wanted).map_err(|error| Failure::io("install signal handlers", &error))?;
    let (sender, receiver) = flume::unbounded();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if sender.send(signal).is_err() {
                    // Nobody waits for it any more: the tool is past its clean-up, so the signal
                    // does what it would have done.
                    end_by(signal);
                }
            }
        })
        .map_err(|error| Failure::io("start the signal thread", &error))?;
    Ok(receiver)
}

/// Ends this process by `signal`, as if it had never been caught.
pub fn end_by(signal: i32) {
    // Fails only for signals that cannot be emulated; the caller then ends by itself.
    let _ = low_level::emulate_default_handler(signal);
}

/// Whether the parent left `signal` ignored (`nohup`, or `&` in a shell without job control).
/// `/proc` tells without an unsafe call; where there is no `/proc`, nothing counts as ignored.
fn ignored_at_start(signal: i32) -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return false;
    };
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    let bit = u32::try_from(signal - 1).unwrap_or(0);
    mask & (1u64 << bit) != 0
}
