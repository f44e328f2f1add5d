//! How far each followed file is read and confirmed: shared by the thread that reads, the sender
//! that learns what is confirmed, and the thread that saves positions.

use crate::follow::entry::Entry;
use crate::follow::fingerprint::Seen;
use crate::follow::identity::Identity;
use crate::follow::snapshot::Snapshot;
use crate::input::marks::{Mark, Marks};
use known::Known;
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The register. Clones share it.
#[derive(Clone, Debug)]
pub struct Register {
    shared: Arc<Shared>,
    marks: Marks,
    /// Whether what is confirmed is saved.
    is_saved: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Files of this run, by numbers that grow in the order of their generations.
    files: BTreeMap<u64, Known>,
    next: u64,
    /// Entries of files that this run does not follow.
    others: Vec<Entry>,
    has_changed: bool,
    ends: bool,
}

impl Register {
    /// With the entries of files that are not followed now.
    pub fn new(others: Vec<Entry>, is_saved: bool) -> Self {
        let state = State { others, has_changed: true, ..State::default() };
        let shared = Shared { state: Mutex::new(state), changed: Condvar::new() };
        Register { shared: Arc::new(shared), marks: Marks::default(), is_saved }
    }

    /// Where records are.
    pub fn marks(&self) -> Marks {
        self.marks.clone()
    }

    /// Whether what is confirmed is saved.
    pub fn is_saved(&self) -> bool {
        self.is_saved
    }

    /// Registers a file that is followed from where `entry` says. Returns its number.
    pub fn begin(&self, entry: Entry, file: Arc<File>) -> u64 {
        let known = Known::new(Entry { is_done: false, ..entry }, Some(file));
        let mut state = self.lock();
        // What is known about an earlier file with this inode is no longer needed.
        let Entry { path, identity, .. } = known.saved();
        let is_former =
            |former: &Entry| former.is_done && former.path == *path && former.identity == *identity;
        state.files.retain(|_, other| !is_former(other.saved()));
        self.add(&mut state, known)
    }

    /// Keeps the entry of a file that was read to its end and still exists.
    pub fn keep(&self, entry: Entry) {
        self.add(&mut self.lock(), Known::new(entry, None));
    }

    /// Keeps the entry of a file that does not exist now and may come back.
    pub fn keep_absent(&self, entry: Entry) {
        self.add(&mut self.lock(), Known::absent(entry));
    }

    /// The entries of missing files of `path`, with their numbers.
    pub fn absent(&self, path: &str) -> Vec<(u64, Entry)> {
        let state = self.lock();
        let is_absent = |known: &Known| known.is_absent() && known.saved().path == path;
        let absent = state.files.iter().filter(|(_, known)| is_absent(known));
        absent.map(|(number, known)| (*number, known.saved().clone())).collect()
    }

    /// Drops the file with this number.
    pub fn drop(&self, number: u64) {
        let mut state = self.lock();
        state.files.remove(&number);
        self.change(&mut state);
    }

    fn add(&self, state: &mut State, known: Known) -> u64 {
        let number = state.next;
        state.next += 1;
        state.files.insert(number, known);
        self.change(state);
        number
    }

    /// The entries of files with this identity that were read to their ends; the identity may be
    /// reused.
    pub fn done(&self, path: &str, identity: Identity) -> Vec<Entry> {
        let state = self.lock();
        let entries = state.files.values().map(Known::saved);
        let same =
            |entry: &&Entry| entry.is_done && entry.path == path && entry.identity == identity;
        entries.filter(same).cloned().collect()
    }

    /// Forgets entries of files of `path` that were read to their ends and are not among `there`.
    pub fn forget(&self, path: &str, there: &[Identity]) {
        let mut state = self.lock();
        let is_there = |known: &Known| {
            let Entry { is_done, path: other, identity, .. } = known.saved();
            !is_done || other != path || there.contains(identity)
        };
        state.files.retain(|_, known| is_there(known));
        self.change(&mut state);
    }

    /// Updates what was read from a file.
    pub fn seen(&self, number: u64, seen: &Seen) {
        if let Some(known) = self.lock().files.get_mut(&number) {
            known.seen(seen);
        }
    }

    /// Adds the marks of records that were read and will be handed over.
    pub fn read(&self, number: u64, marks: Vec<Mark>) {
        if let (Some(last), Some(known)) = (marks.last(), self.lock().files.get_mut(&number)) {
            known.read(last.ends);
        }
        self.marks.extend(marks);
    }

    /// Updates a file's size. Earlier files were changed before `known_until`, or are known.
    pub fn resize(&self, number: u64, size: u64, known_until: i64) {
        if let Some(known) = self.lock().files.get_mut(&number) {
            known.resize(size);
            known.known_until(known_until);
        }
    }

    /// Notes that all files before this one were changed before `time`, or are known.
    pub fn known_until(&self, number: u64, time: i64) {
        if let Some(known) = self.lock().files.get_mut(&number) {
            known.known_until(time);
        }
    }

    /// What was read from a file is now in another one with the same beginning.
    pub fn moved(&self, number: u64, file: Arc<File>, identity: Identity) {
        let mut state = self.lock();
        if let Some(known) = state.files.get_mut(&number) {
            known.moved(file, identity);
        }
        self.change(&mut state);
    }

    /// A file's former content is gone and cannot be read again; what was read is still sent.
    pub fn lose(&self, number: u64) {
        let mut state = self.lock();
        if let Some(known) = state.files.get_mut(&number) {
            known.lose();
        }
        self.tidy(&mut state);
        self.change(&mut state);
    }

    /// Nothing more will be read from a file.
    pub fn end(&self, number: u64) {
        let mut state = self.lock();
        if let Some(known) = state.files.get_mut(&number) {
            known.end();
        }
        self.tidy(&mut state);
        self.change(&mut state);
    }

    /// The records up to `record` are confirmed, or safely kept elsewhere.
    pub fn confirm(&self, record: u64) {
        let marks = self.marks.take(record);
        if marks.is_empty() {
            return;
        }
        let mut state = self.lock();
        for Mark { file, ends, .. } in marks {
            if let Some(known) = state.files.get_mut(&file) {
                known.confirm(ends);
            }
        }
        self.tidy(&mut state);
        self.change(&mut state);
    }

    /// Forgets files about which nothing more has to be saved.
    fn tidy(&self, state: &mut State) {
        let is_saved = self.is_saved;
        state.files.retain(|_, known| known.is_needed(is_saved));
    }

    /// Bytes that are not confirmed.
    pub fn behind(&self) -> u64 {
        let state = self.lock();
        state.files.values().map(Known::behind).sum()
    }

    /// Waits until there is something to save, or the end.
    pub fn changed(&self) {
        let mut state = self.lock();
        while !state.has_changed && !state.ends {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether nothing more will be confirmed.
    pub fn has_ended(&self) -> bool {
        self.lock().ends
    }

    /// What has to be saved now.
    pub fn snapshot(&self) -> Snapshot {
        let mut state = self.lock();
        state.has_changed = false;
        let files = state.files.iter().map(|(number, known)| known.shot(*number)).collect();
        Snapshot { files, others: state.others.clone(), is_last: state.ends }
    }

    /// Waits this long, or until the end.
    pub fn pause(&self, pause: Duration) {
        let state = self.lock();
        let ends = |state: &mut State| !state.ends;
        drop(self.shared.changed.wait_timeout_while(state, pause, ends));
    }

    /// Notes what was saved. A file without an entry is forgotten.
    pub fn saved(&self, entries: Vec<(u64, Option<Entry>)>) {
        let mut state = self.lock();
        for (number, entry) in entries {
            let Some(entry) = entry else {
                state.files.remove(&number);
                continue;
            };
            let Some(known) = state.files.get_mut(&number) else { continue };
            known.saved_as(&entry);
        }
    }

    /// Nothing more will be confirmed.
    pub fn close(&self) {
        self.lock().ends = true;
        self.shared.changed.notify_all();
    }

    fn change(&self, state: &mut State) {
        state.has_changed = true;
        self.shared.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

mod known;
#[cfg(test)]
mod tests;
