//! The thread that saves what is confirmed, as often as the disk can bear.

use crate::follow::entry::Entry;
use crate::follow::register::Register;
use crate::follow::store::Store;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::Exit;
use rmq_common::failure::{Cause, Failure};
use rmq_common::thread;
use std::io;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The shortest time from one save to the next. What is confirmed meanwhile is sent again if the
/// process is killed.
const BETWEEN: Duration = Duration::from_millis(100);
/// Saving takes at most this fraction of the time.
const PART: u32 = 5;
/// The time until a save that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// The thread.
#[derive(Debug)]
pub struct Saver {
    register: Register,
    thread: JoinHandle<Result<(), Failure>>,
}

impl Saver {
    /// Saves at once, so that what cannot be saved is known before anything is sent, and starts the
    /// thread.
    ///
    /// # Errors
    /// The positions file cannot be written (74).
    pub fn start(
        register: &Register,
        mut store: Store,
        diagnostics: Diagnostics,
    ) -> Result<Self, Failure> {
        let name = store.name().to_owned();
        save(register, &mut store).map_err(|error| problem(&name, &error))?;
        let shared = register.clone();
        let thread = thread::start("positions", move || run(&shared, &mut store, diagnostics))
            .map_err(|error| problem(&name, &error))?;
        Ok(Saver { register: register.clone(), thread })
    }

    /// Saves the last positions.
    ///
    /// # Errors
    /// They cannot be saved (74); what was sent since the last save will be sent again.
    pub fn close(self) -> Result<(), Failure> {
        self.register.close();
        let gone = |_| Err(Failure::new(Exit::Software, "the thread that saves positions is gone"));
        self.thread.join().unwrap_or_else(gone)
    }
}

fn problem(name: &str, error: &io::Error) -> Failure {
    Failure::io(format!("write positions {name}"), error)
}

/// Saves the positions. Returns whether that was the last time.
fn save(register: &Register, store: &mut Store) -> io::Result<bool> {
    let snapshot = register.snapshot();
    let is_last = snapshot.is_last;
    let (files, others) = snapshot.entries();
    let entries: Vec<Entry> =
        files.iter().filter_map(|(_, entry)| entry.clone()).chain(others).collect();
    store.save(&entries)?;
    register.saved(files);
    Ok(is_last)
}

fn run(register: &Register, store: &mut Store, diagnostics: Diagnostics) -> Result<(), Failure> {
    let mut failed = false;
    loop {
        if !failed {
            register.changed();
        }
        let begun = Instant::now();
        match save(register, store) {
            Ok(true) => return Ok(()),
            Ok(false) => {
                if std::mem::take(&mut failed) {
                    diagnostics.notice(&format!("positions {}: saved again", store.name()));
                }
                register.pause(BETWEEN.max(begun.elapsed() * PART));
            }
            Err(error) => {
                let name = store.name();
                if register.has_ended() {
                    let text = "; what was sent since the last save will be sent again";
                    return Err(Failure::new(
                        Exit::IoErr,
                        format!("{}{text}", problem(name, &error)),
                    ));
                }
                if !std::mem::replace(&mut failed, true) {
                    let why = Cause(&error);
                    diagnostics.notice(&format!(
                        "write positions {name}: {why}; sending continues, and what is confirmed \
                         meanwhile will be sent again if this process is killed"
                    ));
                }
                register.pause(AGAIN);
            }
        }
    }
}
