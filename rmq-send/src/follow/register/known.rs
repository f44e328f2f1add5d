//! What the register knows about one file.

use crate::follow::entry::Entry;
use crate::follow::fingerprint::{Fingerprint, Seen};
use crate::follow::identity::Identity;
use crate::follow::snapshot::Shot;
use std::fs::File;
use std::sync::Arc;

/// One file.
#[derive(Debug)]
pub(super) struct Known {
    /// Its entry as last saved.
    saved: Entry,
    file: Option<Arc<File>>,
    /// Its beginning, as it was read.
    head: Arc<[u8]>,
    /// How far it was read, and what it held then.
    seen: (u64, Fingerprint),
    confirmed: u64,
    /// The end of the last record that was handed over.
    read: u64,
    size: u64,
    /// Nothing more will be read from it.
    is_over: bool,
    /// What was read cannot be found again.
    is_lost: bool,
    /// It was not found, and may come back under its name.
    is_absent: bool,
}

impl Known {
    /// A file that is read from where `saved` says, if it is open.
    pub(super) fn new(saved: Entry, file: Option<Arc<File>>) -> Self {
        let (offset, size, is_over) = (saved.offset, saved.size, file.is_none());
        Known {
            saved,
            file,
            head: Arc::default(),
            seen: Default::default(),
            confirmed: offset,
            read: offset,
            size,
            is_over,
            is_lost: false,
            is_absent: false,
        }
    }

    /// A file that does not exist now and may come back.
    pub(super) fn absent(saved: Entry) -> Self {
        Known { is_absent: true, ..Known::new(saved, None) }
    }

    /// Its entry as last saved.
    pub(super) fn saved(&self) -> &Entry {
        &self.saved
    }

    /// Whether it does not exist now and may come back.
    pub(super) fn is_absent(&self) -> bool {
        self.is_absent
    }

    /// Updates what was read from it.
    pub(super) fn seen(&mut self, seen: &Seen) {
        if self.head.len() < seen.head().len() {
            self.head = Arc::from(seen.head());
        }
        self.seen = (seen.offset(), seen.fingerprint());
    }

    /// Records up to this offset were read and will be handed over.
    pub(super) fn read(&mut self, ends: u64) {
        self.read = ends;
        self.size = self.size.max(ends);
    }

    /// Updates its size.
    pub(super) fn resize(&mut self, size: u64) {
        self.size = size;
        self.saved.size = size;
    }

    /// Notes that all files before it were changed before `time`, or are known.
    pub(super) fn known_until(&mut self, time: i64) {
        self.saved.modified = time;
    }

    /// What was read from it is now in another file.
    pub(super) fn moved(&mut self, file: Arc<File>, identity: Identity) {
        self.file = Some(file);
        self.saved.identity = identity;
    }

    /// Its former content is gone.
    pub(super) fn lose(&mut self) {
        self.is_over = true;
        self.is_lost = true;
        self.size = self.read;
        self.file = None;
    }

    /// Nothing more will be read from it.
    pub(super) fn end(&mut self) {
        self.is_over = true;
    }

    /// It is confirmed up to this offset.
    pub(super) fn confirm(&mut self, ends: u64) {
        self.confirmed = ends;
    }

    /// Whether something has to be saved about it, or part of it is not confirmed.
    pub(super) fn is_needed(&self, is_saved: bool) -> bool {
        !self.is_confirmed() || (is_saved && !self.is_lost)
    }

    /// Bytes that are not confirmed.
    pub(super) fn behind(&self) -> u64 {
        self.size.saturating_sub(self.confirmed)
    }

    /// As it is now.
    pub(super) fn shot(&self, number: u64) -> Shot {
        Shot {
            number,
            saved: self.saved.clone(),
            file: self.file.clone(),
            head: Arc::clone(&self.head),
            seen: self.seen,
            confirmed: self.confirmed,
            is_over: self.is_confirmed(),
        }
    }

    /// Notes what was saved; its name or size may have changed meanwhile.
    pub(super) fn saved_as(&mut self, entry: &Entry) {
        self.saved.offset = entry.offset;
        self.saved.fingerprint = entry.fingerprint;
        self.saved.is_done = entry.is_done;
        if entry.is_done {
            self.file = None;
        }
    }

    fn is_confirmed(&self) -> bool {
        self.is_over && self.confirmed >= self.read
    }
}
