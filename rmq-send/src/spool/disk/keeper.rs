//! The thread that writes the cursor and deletes what is done, so that the sender need not do it.

use crate::spool::disk::cursor::{self, Cursor};
use crate::spool::disk::segment::Segment;
use crate::spool::disk::state::{Shared, State, wait};
use rmq_common::failure::Failure;
use std::io;
use std::sync::PoisonError;
use std::time::Duration;

/// The time between two writes of the cursor: long compared with the cost of one, short compared
/// with the duplicates that a kill causes.
const PAUSE: Duration = Duration::from_millis(10);

/// Runs until the state says that it ends, or it cannot continue. The cursor already says
/// `written`.
pub fn run(shared: &Shared, cursor: &Cursor, mut written: u64) {
    let mut state = shared.lock();
    loop {
        let finished = take_finished(&mut state);
        if finished.is_empty() && state.done == written {
            if state.keeper_ends {
                return;
            }
            state.keeper_waits = true;
            state = wait(&shared.keep, state);
            state.keeper_waits = false;
            continue;
        }
        written = state.done;
        drop(state);
        if let Err(failure) = keep(shared, cursor, written, &finished) {
            return shared.fail(failure);
        }
        state = shared.lock();
        let unsynced = state.changed();
        unsynced.cursor = true;
        unsynced.directory |= !finished.is_empty();
        shared.sync.notify_one();
        if !finished.is_empty() {
            state.bytes -= finished.iter().map(|segment| segment.bytes).sum::<u64>();
            state.freed += 1;
            shared.room.notify_one();
            shared.arrived.notify_one();
        }
        let pause = shared.keep.wait_timeout_while(state, PAUSE, |state| !state.keeper_ends);
        state = pause.unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Removes segments whose records are all done from the state; nothing reads them any longer.
fn take_finished(state: &mut State) -> Vec<Segment> {
    let mut finished = Vec::new();
    while state.front_is_finished() {
        finished.extend(state.segments.pop_front());
    }
    let unsynced = &mut state.unsynced.segments;
    unsynced.retain(|(file, _)| finished.iter().all(|segment| segment.first != file.first));
    finished
}

fn keep(shared: &Shared, cursor: &Cursor, done: u64, finished: &[Segment]) -> Result<(), Failure> {
    let directory = &shared.directory;
    cursor.write(done).map_err(|error| directory.problem(cursor::NAME, &error))?;
    for segment in finished {
        let name = segment.name();
        match directory.remove(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(directory.problem(&name, &error));
            }
            _ => {}
        }
    }
    Ok(())
}
