//! The limits of the process, checked before anything starts.
//!
//! The libraries below start threads and open descriptors where they cannot report an error: they
//! panic or hang. So limits that are too low for any run are detected first, and the [panic
//! hook](report_panics) reports the rest.

use crate::cli::diagnostics::Diagnostics;
use crate::cli::exit::Exit;
use crate::cli::failure::{Cause, Failure};
use crate::cli::standard_streams;
use crate::thread::LIMIT;
use rustix::process::{Resource, Rlimit, getrlimit};
use std::env;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::panic;
use std::process::Command;
use std::thread;

/// Descriptors that a run needs besides the standard ones: the reactor's four, a connection's two,
/// pipes and signals, files.
const DESCRIPTORS: usize = 24;
/// The number of heaps that glibc's malloc(3) keeps (mallopt(3)).
const ARENAS: &str = "MALLOC_ARENA_MAX";
/// The stack of a thread, with its guard.
const THREAD: usize = (2 << 20) + (64 << 10);
/// Memory that a run needs besides its threads' stacks: blocks read, a window of messages.
const MEMORY: usize = 32 << 20;
/// The maximum number of threads of a run, without those of commands that it runs.
const THREADS: usize = 12;
/// If a limit on processes exceeds what the whole machine runs by this much, it is not checked.
const NEAR: u64 = 200;
/// A main thread with a smaller stack hands over to one with [`STACK`].
const SMALL_STACK: u64 = 4 << 20;
const STACK: usize = 8 << 20;

/// Checks that the limits leave room for a run.
///
/// # Errors
/// They do not; names the limit (78).
pub(crate) fn check() -> Result<(), Failure> {
    descriptors()?;
    memory()?;
    if threads_may_be_short() { threads() } else { Ok(()) }
}

/// Under `ulimit -v`, restarts with a malloc(3) that leaves addresses for everything else. By
/// default it reserves 64 MiB for each thread as long as it can, and what comes later, such as a
/// thread's stack, finds none: some runs then fail, at random.
pub(crate) fn save_addresses() {
    if soft(Resource::As).is_none() || env::var_os(ARENAS).is_some() {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut words = env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = words.next() {
        command.arg0(name);
    }
    standard_streams::close_again_at_exec();
    // If this is refused, the run continues as it is.
    let _ = command.args(words).env(ARENAS, "1").exec();
}

/// Runs `work` on a stack of sufficient size, whatever `ulimit -s` gave this thread.
///
/// # Errors
/// It needs another thread, which cannot be started (78).
pub(crate) fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    if soft(Resource::Stack).is_none_or(|limit| limit >= SMALL_STACK) {
        return Ok(apart(work));
    }
    thread::scope(|scope| {
        let main = thread::Builder::new().name("main".to_owned()).stack_size(STACK);
        let running = main.spawn_scoped(scope, work).map_err(|error| no_thread(&error))?;
        running.join().map_err(|_| Failure::new(Exit::Software, "the main thread has panicked"))
    })
}

/// Keeps the stack use of `work` out of its caller's frame, which has to fit into a small stack.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Ends the program with one line, not with a signal and a trace, if it or a library panics.
pub(crate) fn report_panics(program: &'static str) {
    panic::set_hook(Box::new(move |info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let said = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let said = said.unwrap_or("unknown");
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let failure = panicked(said, &place);
        Diagnostics::new(program, false, false).error(&failure);
        // On another thread, or if panics abort, there is no `main` to return to.
        std::process::exit(i32::from(failure.exit().status()));
    }));
}

/// The meaning of a panic: usually a limit that a library reached where it could not report it.
fn panicked(said: &str, place: &str) -> Failure {
    let limits = [("code: 11,", LIMIT), ("code: 24,", FILES), ("code: 12,", ADDRESSES)];
    match limits.iter().find(|(code, _)| said.contains(code)) {
        Some((_, limit)) => {
            // `cannot spawn async-io thread: Os { code: 11, ...`
            let said = said.split(": Os {").next().unwrap_or(said);
            Failure::new(Exit::IoErr, format!("out of resources: {limit}: {said}"))
        }
        None => Failure::new(Exit::Software, format!("internal error at {place}: {said}")),
    }
}

const FILES: &str = "the limit on open files (ulimit -n)";
const ADDRESSES: &str = "the limit on memory (ulimit -v or -d)";

fn descriptors() -> Result<(), Failure> {
    let mut spare = Vec::with_capacity(DESCRIPTORS);
    while spare.len() < DESCRIPTORS {
        match rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 0) {
            Ok(descriptor) => spare.push(descriptor),
            Err(error) => {
                let more = spare.len();
                let cause = io::Error::from(error);
                return Err(too_low(
                    FILES,
                    &format!(
                        "{more} more can be opened, {DESCRIPTORS} are needed: {}",
                        Cause(&cause)
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// Compares the limits with what is in use, the stacks of all threads, and [`MEMORY`].
fn memory() -> Result<(), Failure> {
    let limits = [(Resource::As, 0), (Resource::Data, 5)];
    let limits = limits.map(|(resource, field)| (soft(resource), field));
    if limits.iter().all(|(limit, _)| limit.is_none()) {
        return Ok(());
    }
    // In pages: all, resident, shared, code, 0, data.
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let page = rustix::param::page_size() as u64;
    for (limit, field) in limits {
        let taken = pages.split(' ').nth(field).and_then(|taken| taken.trim().parse().ok());
        let needed = taken.unwrap_or(0u64) * page + (THREADS * THREAD + MEMORY) as u64;
        if let Some(limit) = limit.filter(|limit| *limit < needed) {
            let [limit, needed] = [limit, needed].map(|bytes| bytes.div_ceil(1024));
            return Err(too_low(ADDRESSES, &format!("it is {limit} KiB, {needed} are needed")));
        }
    }
    Ok(())
}

fn threads_may_be_short() -> bool {
    // A container's limit; the root of all groups has no such file.
    let of_container = || fs::read_to_string("/sys/fs/cgroup/pids.max");
    if of_container().is_ok_and(|most| most.trim() != "max") {
        return true;
    }
    let Some(most) = soft(Resource::Nproc) else { return false };
    // `0.20 0.18 0.12 1/80 11206`: of all threads, of all users, there are 80.
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let all = load.split(['/', ' ']).nth(4).and_then(|all| all.parse().ok());
    all.is_none_or(|all: u64| all.saturating_add(NEAR) > most)
}

/// Starts the maximum number of threads of a run, all at once.
fn threads() -> Result<(), Failure> {
    let (end, ended) = flume::bounded::<()>(0);
    let mut started = Vec::with_capacity(THREADS);
    let mut outcome = Ok(());
    while started.len() < THREADS {
        let ended = ended.clone();
        // They end when the other side of the channel is closed.
        match thread::Builder::new().spawn(move || ended.recv().is_ok()) {
            Ok(thread) => started.push(thread),
            Err(error) => {
                outcome = Err(no_thread(&error));
                break;
            }
        }
    }
    drop(end);
    for thread in started {
        // It does nothing that panics.
        let _ = thread.join();
    }
    outcome
}

fn no_thread(error: &io::Error) -> Failure {
    too_low(LIMIT, &format!("start a thread: {}", Cause(error)))
}

fn too_low(limit: &str, why: &str) -> Failure {
    Failure::new(Exit::Config, format!("{limit} is too low: {why}"))
}

fn soft(resource: Resource) -> Option<u64> {
    let Rlimit { current, .. } = getrlimit(resource);
    current
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_over_a_limit_names_the_limit() {
        let said =
            "cannot spawn async-io thread: Os { code: 11, kind: WouldBlock, message: \"x\" }";
        let failure = panicked(said, "driver.rs:32:14");
        assert_eq!(failure.exit(), Exit::IoErr);
        let text = failure.to_string();
        assert!(text.contains("ulimit -u") && text.ends_with("spawn async-io thread"), "{text}");
        let failure = panicked("index out of bounds", "src/x.rs:1:2");
        assert_eq!(failure.exit(), Exit::Software);
        assert_eq!(failure.to_string(), "internal error at src/x.rs:1:2: index out of bounds");
    }

    #[test]
    fn an_ordinary_machine_has_room() {
        assert_eq!(check(), Ok(()));
        assert_eq!(threads(), Ok(()));
        assert_eq!(with_stack(|| 7), Ok(7));
    }
}
