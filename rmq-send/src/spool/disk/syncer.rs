//! The thread that syncs what was written, once in a [`SYNC_INTERVAL`], so that nothing else waits.
//!
//! A failed sync is not tried again: the system has dropped what it could not write and would
//! report success. The writer is informed and takes no more; what the spool holds still goes out.

use crate::spool::disk::cursor::{self, Cursor};
use crate::spool::disk::directory::Directory;
use crate::spool::disk::segment::Segment;
use crate::spool::disk::state::{Shared, Unsynced, wait};
use rmq_common::failure::Failure;
use std::io;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// How long an appended record waits at most before it is synced.
pub const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// Runs until the state says that it ends, or until it cannot continue. An earlier run that was
/// killed has not synced its segments, `left_over`.
pub fn run(shared: &Shared, cursor: &Cursor, left_over: &[Segment]) {
    let mut synced = left_over.iter().try_for_each(|segment| left(&shared.directory, segment));
    loop {
        if let Err(failure) = synced {
            return shared.fail(failure);
        }
        let Some(unsynced) = next(shared) else { return };
        synced = sync(shared, cursor, &unsynced);
    }
}

/// Waits until it is time; `None` at the end, when nothing is left.
fn next(shared: &Shared) -> Option<Unsynced> {
    let mut state = shared.lock();
    loop {
        let due = match state.unsynced.since {
            Some(_) if state.syncer_ends => break,
            Some(since) => since + SYNC_INTERVAL,
            None if state.syncer_ends => return None,
            None => {
                state = wait(&shared.sync, state);
                continue;
            }
        };
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        let waited = shared.sync.wait_timeout(state, left);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    let mut unsynced = std::mem::take(&mut state.unsynced);
    if state.all_done() {
        // Nothing in them has to survive.
        unsynced.segments.clear();
    }
    Some(unsynced)
}

fn sync(shared: &Shared, cursor: &Cursor, unsynced: &Unsynced) -> Result<(), Failure> {
    let directory = &shared.directory;
    let at = |name: String| move |error: io::Error| problem(directory, &name, &error);
    // Records first, and last the cursor that marks them as done.
    for (segment, file) in &unsynced.segments {
        file.sync_data().map_err(at(segment.name()))?;
    }
    if unsynced.directory {
        directory.sync().map_err(at(String::new()))?;
    }
    if unsynced.cursor {
        cursor.sync().map_err(at(cursor::NAME.to_owned()))?;
    }
    Ok(())
}

fn left(directory: &Directory, segment: &Segment) -> Result<(), Failure> {
    let name = segment.name();
    match directory.read(&name).and_then(|file| file.sync_data()) {
        // It has been replayed and deleted since.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.map_err(|error| problem(directory, &name, &error)),
    }
}

fn problem(directory: &Directory, name: &str, error: &io::Error) -> Failure {
    Failure::io(format!("sync spool {}", directory.at(name).display()), error)
}
