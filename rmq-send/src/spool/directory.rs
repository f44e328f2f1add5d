//! The spool's directory: making it, locking it, listing it.

use crate::spool::format;
use crate::spool::state::Segment;
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rustix::fs::{FlockOperation, flock};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Makes the directory and those above it if they are absent, and locks it for as long as the file that is returned is
/// open.
///
/// # Errors
/// Another process has the lock (75); it cannot be made or locked (74).
pub fn claim(directory: &Path) -> Result<File, Failure> {
    let problem = |error: &io::Error| Failure::io(format!("spool {}", directory.display()), error);
    make(directory).map_err(|error| problem(&error))?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut lock = options.open(directory.join("lock")).map_err(|error| problem(&error))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut pid = String::new();
            // Who it is only helps; that it is taken is what counts.
            let _ = lock.take(20).read_to_string(&mut pid);
            let (directory, pid) = (directory.display(), pid.trim());
            let who = if pid.is_empty() { String::new() } else { format!(" (pid {pid})") };
            let text = format!("spool {directory}: in use by another rmq-send{who}");
            return Err(Failure::new(Exit::TempFail, text));
        }
        Err(error) => return Err(problem(&error.into())),
    }
    // On a full disk the lock holds all the same.
    let _ = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
    Ok(lock)
}

/// The segments in the directory, in order.
///
/// # Errors
/// When it cannot be read.
pub fn segments(directory: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in directory.read_dir()? {
        let entry = entry?;
        let parsed = entry.file_name().to_str().and_then(format::parse_name);
        if let Some((first, salt)) = parsed {
            segments.push(Segment { first, salt, bytes: entry.metadata()?.len() });
        }
    }
    segments.sort_unstable_by_key(|segment| (segment.first, segment.bytes));
    Ok(segments)
}

/// Makes what was made and removed in the directory last.
///
/// # Errors
/// When that fails.
pub fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Keeps a damaged file under a second name, which stays when the first is removed.
pub fn keep_aside(file: &Path) -> Option<PathBuf> {
    let mut name = file.as_os_str().to_owned();
    name.push(".damaged");
    let aside = PathBuf::from(name);
    match std::fs::hard_link(file, &aside) {
        Ok(()) => Some(aside),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Some(aside),
        Err(_) => None,
    }
}

/// Makes sure that a name is known on the disk to the directory it is in.
///
/// # Errors
/// When that fails.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    sync(parent(path))
}

fn parent(directory: &Path) -> &Path {
    match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes a directory, and what is missing above it, each known to its parent on the disk.
fn make(directory: &Path) -> io::Result<()> {
    let missing = directory.ancestors().take_while(|path| !path.as_os_str().is_empty());
    let mut missing: Vec<&Path> = missing.take_while(|path| !path.exists()).collect();
    while let Some(path) = missing.pop() {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => sync_parent(path)?,
            // Somebody else was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
