//! Standard input, output and error as the parent handed them over.
//!
//! Rust's runtime opens `/dev/null` for streams that are closed before `main` begins, so what is
//! written to them vanishes without an error. A parent may also pass `/dev/null` on purpose, and
//! later nothing distinguishes the two. So the streams are checked before the runtime starts.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat};
use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use rustix::stdio::{stderr, stdin, stdout};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

/// A bit for each descriptor that was closed: 1, 2 and 4.
static CLOSED: AtomicU8 = AtomicU8::new(0);

/// Runs before `main`, so it must not use anything of the standard library that needs its runtime.
#[ctor::ctor]
fn check_before_the_runtime() {
    let closed = [stdin(), stdout(), stderr()].map(|stream| fcntl_getfd(stream).is_err());
    let bits = closed.iter().rev().fold(0, |bits, closed| bits << 1 | u8::from(*closed));
    CLOSED.store(bits, Ordering::Relaxed);
}

/// Checks that standard output can be written to. A tool calls this before it connects or changes
/// anything, if the run is to write there.
///
/// # Errors
/// It was closed at the start, or is open for reading only (74).
pub fn output() -> Result<(), Failure> {
    writable("standard output", 1, stdout())
}

/// Checks that standard input can be read. A tool calls this before it connects or changes
/// anything, if the run is to read it.
///
/// # Errors
/// It was closed at the start, is open for writing only, or is a directory (74).
pub fn input() -> Result<(), Failure> {
    const NAME: &str = "standard input";
    if was_closed(0) {
        return Err(refused(format!("{NAME} is closed; nothing was done (</dev/null is empty)")));
    }
    match fcntl_getfl(stdin()) {
        Ok(flags) if !flags.contains(OFlags::PATH) && access(flags) != OFlags::WRONLY => {}
        Ok(_) => return Err(refused(format!("{NAME} is not open for reading; nothing was done"))),
        Err(error) => return Err(Failure::io(NAME, &error.into())),
    }
    let kind = fstat(stdin()).map(|stat| FileType::from_raw_mode(stat.st_mode));
    if kind == Ok(FileType::Directory) {
        return Err(refused(format!("{NAME} is a directory; nothing was done")));
    }
    Ok(())
}

/// Checks that a file of this name can be used if it is one of the standard streams: `/dev/stdout`
/// opens the runtime's `/dev/null` if standard output was closed.
///
/// # Errors
/// It names a stream that was closed at the start (74).
pub fn named(name: &str) -> Result<(), Failure> {
    match of(name) {
        Some((number, _)) if was_closed(number) => {
            Err(refused(format!("open {name}: it is closed; nothing was done")))
        }
        _ => Ok(()),
    }
}

/// A file to write, by its name on a command line: `-` is standard output.
pub fn to_write(name: &str) -> &str {
    if name == "-" { "/dev/stdout" } else { name }
}

/// The stream that `path` names. Opening the path would open its file again, at its beginning.
pub(crate) fn at(path: &Path) -> Option<BorrowedFd<'static>> {
    of(path.to_str()?).map(|(_, stream)| stream)
}

fn of(name: &str) -> Option<(u8, BorrowedFd<'static>)> {
    match name {
        "/dev/stdin" | "/dev/fd/0" | "/proc/self/fd/0" => Some((0, stdin())),
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => Some((1, stdout())),
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => Some((2, stderr())),
        _ => None,
    }
}

/// Closes the streams that were closed at the start again at exec, for the next program.
pub(crate) fn close_again_at_exec() {
    for (number, stream) in [(0, stdin()), (1, stdout()), (2, stderr())] {
        if was_closed(number) {
            // Fails only for a descriptor that is not open, as desired.
            let _ = fcntl_setfd(stream, FdFlags::CLOEXEC);
        }
    }
}

fn writable(name: &str, number: u8, stream: BorrowedFd<'_>) -> Result<(), Failure> {
    if was_closed(number) {
        let text = format!("{name} is closed; nothing was done (>/dev/null discards it)");
        return Err(refused(text));
    }
    match fcntl_getfl(stream) {
        Ok(flags) if !flags.contains(OFlags::PATH) && access(flags) != OFlags::RDONLY => Ok(()),
        Ok(_) => Err(refused(format!("{name} is not open for writing; nothing was done"))),
        Err(error) => Err(Failure::io(name, &error.into())),
    }
}

fn access(flags: OFlags) -> OFlags {
    flags & OFlags::ACCMODE
}

fn was_closed(number: u8) -> bool {
    CLOSED.load(Ordering::Relaxed) >> number & 1 == 1
}

fn refused(text: String) -> Failure {
    Failure::new(Exit::IoErr, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;

    #[test]
    fn a_stream_is_writable_only_if_it_was_opened_so() {
        let reading = File::open("/dev/null").unwrap();
        let failure = writable("standard output", 7, reading.as_fd()).unwrap_err();
        assert_eq!(failure.exit(), Exit::IoErr);
        assert!(failure.to_string().contains("not open for writing"), "{failure}");
        let writing = File::options().write(true).open("/dev/null").unwrap();
        assert_eq!(writable("standard output", 7, writing.as_fd()), Ok(()));
        let path = OFlags::PATH | OFlags::CLOEXEC;
        let path = rustix::fs::open("/dev/null", path, rustix::fs::Mode::empty()).unwrap();
        assert!(writable("standard output", 7, path.as_fd()).is_err());
    }

    #[test]
    fn other_names_are_not_the_standard_streams() {
        for name in ["-", "/dev/null", "stdout", "/dev/stdout/x"] {
            assert_eq!(named(name), Ok(()));
        }
    }
}
