//! SIGINT, SIGTERM and SIGHUP as messages, so that they do not end the process in the middle of
//! work, and the other signal settings that a parent may have changed.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::service_manager;
use crate::thread;
use nix::sys::signal::{SigSet, Signal};
use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2,
    SIGVTALRM, SIGXCPU, SIGXFSZ,
};
use signal_hook::flag;
use signal_hook::iterator::Signals;
use signal_hook::low_level;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

/// Signals that request the tool to finish.
const REQUESTS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Signals that ask how far a run has come: dd's, and that of Ctrl-T if the system has it.
#[cfg(not(any(
    target_os = "macos",
    target_os = "freebsd",
    target_os = "openbsd",
    target_os = "netbsd"
)))]
const QUESTIONS: [i32; 1] = [SIGUSR1];
#[cfg(any(
    target_os = "macos",
    target_os = "freebsd",
    target_os = "openbsd",
    target_os = "netbsd"
))]
const QUESTIONS: [i32; 2] = [SIGUSR1, signal_hook::consts::SIGINFO];

/// All signals from outside that end or stop a process, except those that cannot be caught.
const ENDS: [i32; 11] = [
    SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGPROF,
    SIGXCPU,
];

/// Whether a signal ends process 1 at once: until the tool itself waits for signals.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// Sets signals to the state that a program expects, before any thread starts.
///
/// * Signals that a parent left blocked are unblocked: otherwise none could end us.
/// * A write beyond `ulimit -f` is an error (EFBIG), not the end. SIGXFSZ gets a handler for that;
///   a command that we run would inherit an ignored signal.
/// * SIGUSR1 does not end it: [`on_question`] answers.
/// * If memory runs out, the standard library prints a line and aborts: that becomes 74, as for
///   other limits, not a signal.
/// * Process 1 of a container has no default actions: it gets handlers that end it with 128 + the
///   signal's number.
///
/// # Errors
/// The operating system refuses (74).
pub(crate) fn begin() -> Result<(), Failure> {
    let mut blocked = SigSet::empty();
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGUSR1,
        Signal::SIGCHLD,
        Signal::SIGXFSZ,
    ] {
        blocked.add(signal);
    }
    let problem = |error: std::io::Error| Failure::io("install signal handlers", &error);
    blocked.thread_unblock().map_err(|error| problem(error.into()))?;
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map_err(problem)?;
    // It asks how far a run has come; without an answer, it must not end the process.
    for signal in not_ignored(&QUESTIONS) {
        flag::register(signal, Arc::new(AtomicBool::new(false))).map_err(problem)?;
    }
    let always = Arc::new(AtomicBool::new(true));
    let out_of_memory = i32::from(Exit::IoErr.status());
    flag::register_conditional_shutdown(SIGABRT, out_of_memory, always.clone()).map_err(problem)?;
    if is_process_1() {
        for signal in not_ignored(&REQUESTS) {
            flag::register_conditional_shutdown(signal, 128 + signal, AT_ONCE.clone())
                .map_err(problem)?;
        }
        flag::register_conditional_shutdown(SIGQUIT, 128 + SIGQUIT, always).map_err(problem)?;
    }
    Ok(())
}

/// Signals that request the tool to finish, as they arrive. A signal that was ignored at the start
/// stays ignored, as `nohup` expects.
///
/// # Errors
/// The operating system refuses a handler or a thread (74).
pub fn requests_to_stop() -> Result<flume::Receiver<i32>, Failure> {
    any_of(&REQUESTS)
}

/// Calls `answer`, on a separate thread, at each signal that asks how far a run has come. One that
/// was ignored at the start stays ignored.
///
/// # Errors
/// As [`requests_to_stop`].
pub fn on_question(answer: impl Fn() + Send + 'static) -> Result<(), Failure> {
    let mut signals = Signals::new(not_ignored(&QUESTIONS))
        .map_err(|error| Failure::io("install signal handlers", &error))?;
    thread::start("questions", move || signals.forever().for_each(|_| answer()))
        .map(drop)
        .map_err(|error| Failure::io("start the signal thread", &error))
}

/// The same for all signals that end or stop a process, for state that has to be restored first.
///
/// # Errors
/// As [`requests_to_stop`].
pub fn ends_and_stops() -> Result<flume::Receiver<i32>, Failure> {
    any_of(&ENDS)
}

fn any_of(signals: &[i32]) -> Result<flume::Receiver<i32>, Failure> {
    let mut signals = Signals::new(not_ignored(signals))
        .map_err(|error| Failure::io("install signal handlers", &error))?;
    let (sender, receiver) = flume::unbounded();
    thread::start("signals", move || {
        for signal in signals.forever() {
            if sender.send(signal).is_err() {
                // The tool has finished its clean-up, so the signal takes its normal effect.
                end_by(signal);
            }
            if REQUESTS.contains(&signal) {
                service_manager::stopping();
            }
        }
    })
    .map_err(|error| Failure::io("start the signal thread", &error))?;
    AT_ONCE.store(false, Ordering::Relaxed);
    Ok(receiver)
}

/// Ends this process by `signal`, as if it had not been caught; process 1, which its own signals do
/// not end, exits with 128 + its number.
pub fn end_by(signal: i32) {
    if is_process_1() {
        low_level::exit(128 + signal);
    }
    // Fails only for signals that cannot be emulated; then the caller exits.
    let _ = low_level::emulate_default_handler(signal);
}

/// Whether this is process 1 of a container, to which the kernel delivers no signal without a
/// handler, and which adopts all orphaned processes.
pub fn is_process_1() -> bool {
    std::process::id() == 1
}

/// Those of `signals` that the parent has not ignored (`nohup`, or `&` in a shell without job
/// control). `/proc` shows this without unsafe code; without `/proc`, none counts as ignored.
fn not_ignored(signals: &[i32]) -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    let is_ignored = |signal: i32| mask & (1 << u32::try_from(signal - 1).unwrap_or(0)) != 0;
    signals.iter().copied().filter(|signal| !is_ignored(*signal)).collect()
}
