//! The register at one moment, and what has to be saved of it.

use crate::follow::entry::Entry;
use crate::follow::fingerprint::{Fingerprint, Seen};
use crate::follow::identity;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// One file of a snapshot.
#[derive(Debug)]
pub struct Shot {
    /// Its number in the register.
    pub number: u64,
    /// Its entry as last saved.
    pub saved: Entry,
    /// The file, if it is open.
    pub file: Option<Arc<File>>,
    /// Its beginning, as it was read.
    pub head: Arc<[u8]>,
    /// How far it was read, and what it held then.
    pub seen: (u64, Fingerprint),
    /// The first byte that is not confirmed.
    pub confirmed: u64,
    /// All of it is read and confirmed.
    pub is_over: bool,
}

/// What is to be saved.
#[derive(Debug)]
pub struct Snapshot {
    /// Files of this run.
    pub files: Vec<Shot>,
    /// Entries of files that this run does not follow.
    pub others: Vec<Entry>,
    /// This is the last one.
    pub is_last: bool,
}

impl Snapshot {
    /// The entries to save: those of this run by number, then the others.
    pub fn entries(self) -> (Vec<(u64, Option<Entry>)>, Vec<Entry>) {
        let files = self.files.into_iter().map(|shot| {
            let number = shot.number;
            let entry = match shot.file.clone() {
                Some(file) => current(shot, &file),
                None => Some(shot.saved),
            };
            (number, entry)
        });
        (files.collect(), self.others)
    }
}

/// What to save about an open file; nothing if it is read to its end and has no name.
fn current(shot: Shot, file: &File) -> Option<Entry> {
    let Shot { saved: mut entry, head, seen, confirmed, is_over, .. } = shot;
    if entry.offset != confirmed {
        let fingerprint = match seen {
            (offset, fingerprint) if offset == confirmed => Ok(Some(fingerprint)),
            _ => advanced(&entry, file, &head, confirmed),
        };
        if let Ok(Some(fingerprint)) = fingerprint {
            entry.offset = confirmed;
            entry.fingerprint = fingerprint;
        }
    }
    if let Ok(status) = rustix::fs::fstat(file) {
        if is_over && status.st_nlink == 0 {
            return None;
        }
        // Bytes after the last check may be other content, after a truncation.
        if is_over {
            entry.size = identity::size(&status);
            entry.modified = identity::modified(&status);
        }
    }
    entry.is_done = is_over && entry.offset == confirmed;
    Some(entry)
}

/// The fingerprint up to `offset`, if the file still holds what it held up to the entry's offset
/// and still begins with what was read. One that was rewritten does not, and its entry stays.
fn advanced(
    entry: &Entry,
    file: &File,
    head: &[u8],
    offset: u64,
) -> io::Result<Option<Fingerprint>> {
    let held = Fingerprint::take(file, entry.offset)? == Some(entry.fingerprint);
    let Some(seen) = Seen::take(file, offset)? else { return Ok(None) };
    let length = head.len().min(seen.head().len());
    let is_held = held && seen.head()[..length] == head[..length];
    Ok(is_held.then(|| seen.fingerprint()))
}
