use super::*;
use crate::arguments::From;
use crate::follow::entry::Entry;
use crate::follow::fingerprint::Seen;
use crate::follow::identity;
use crate::follow::register::Register;
use crate::input::framing::Format;
use rmq_common::diagnostics::Diagnostics;
use std::fs::{create_dir, rename, write};
use tempfile::TempDir;

/// A log in a directory that can be moved.
struct Place {
    temporary: TempDir,
    tools: Tools,
}

impl Place {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        create_dir(temporary.path().join("log")).unwrap();
        let diagnostics = Diagnostics::new("rmq-send", true, false);
        let register = Register::new(Vec::new(), true);
        let tools = Tools::new(register, diagnostics, (Format::Lines, 1 << 20), false);
        Place { temporary, tools }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.temporary.path().join(name)
    }

    /// What is known about a file that is confirmed up to `offset`.
    fn entry(&self, name: &str, offset: u64) -> Entry {
        let (file, status) = scan::open_regular(&self.at(name)).unwrap();
        Entry {
            path: self.at("log/app.log").to_str().unwrap().to_owned(),
            identity: Identity::of(&status),
            offset,
            fingerprint: Seen::take(&file, offset).unwrap().unwrap().fingerprint(),
            size: identity::size(&status),
            modified: identity::modified(&status),
            is_done: false,
        }
    }

    /// The log as a run finds it that starts with these entries.
    fn resumed(&mut self, entries: &[Entry]) -> Log {
        let mut log = Log::new(0, self.at("log/app.log").to_str().unwrap()).unwrap();
        log.resume(entries, From::Start, &mut self.tools).unwrap();
        log
    }

    /// The positions as they would be saved.
    fn saved(&self) -> Vec<u64> {
        let (files, _) = self.tools.register.snapshot().entries();
        files.into_iter().filter_map(|(_, entry)| Some(entry?.offset)).collect()
    }
}

/// The offset at which reading each generation starts.
fn offsets(log: &Log) -> Vec<u64> {
    log.generations().map(|generation| generation.seen().offset()).collect()
}

#[test]
fn a_directory_that_is_missing_at_first_is_gone_on_with_when_it_returns() {
    let mut place = Place::new();
    write(place.at("log/app.log"), "one\ntwo\n").unwrap();
    let rotated = place.entry("log/app.log", 4);
    rename(place.at("log/app.log"), place.at("log/app.log.1")).unwrap();
    write(place.at("log/app.log"), "three\nfour\n").unwrap();
    let entries = [rotated, place.entry("log/app.log", 6)];
    rename(place.at("log"), place.at("elsewhere")).unwrap();
    let mut log = place.resumed(&entries);
    assert_eq!((offsets(&log), place.saved()), (vec![], vec![4, 6]));
    rename(place.at("elsewhere"), place.at("log")).unwrap();
    log.look(&mut place.tools).unwrap();
    assert_eq!((offsets(&log), place.saved()), (vec![4, 6], vec![4, 6]));
}

#[test]
fn a_file_that_is_missing_at_first_is_gone_on_with_when_it_has_its_name_back() {
    let mut place = Place::new();
    write(place.at("log/app.log"), "one\ntwo\n").unwrap();
    let entries = [place.entry("log/app.log", 4)];
    rename(place.at("log/app.log"), place.at("elsewhere")).unwrap();
    let mut log = place.resumed(&entries);
    assert_eq!((offsets(&log), place.saved()), (vec![], vec![4]));
    rename(place.at("elsewhere"), place.at("log/app.log")).unwrap();
    log.look(&mut place.tools).unwrap();
    assert_eq!(offsets(&log), [4]);
}

#[test]
fn another_file_with_the_name_of_one_that_is_missing_is_read_from_its_beginning() {
    let mut place = Place::new();
    write(place.at("log/app.log"), "one\ntwo\n").unwrap();
    let entries = [place.entry("log/app.log", 4)];
    rename(place.at("log/app.log"), place.at("elsewhere")).unwrap();
    let mut log = place.resumed(&entries);
    write(place.at("log/app.log"), "another\n").unwrap();
    log.look(&mut place.tools).unwrap();
    assert_eq!((offsets(&log), place.saved()), (vec![0], vec![0]));
}

#[test]
fn a_file_that_came_and_was_rotated_before_anything_was_read_is_read() {
    let mut place = Place::new();
    let mut log = place.resumed(&[]);
    write(place.at("log/app.log.1"), "one\n").unwrap();
    write(place.at("log/app.log"), "two\n").unwrap();
    log.look(&mut place.tools).unwrap();
    assert_eq!(offsets(&log), [0, 0]);
}

#[test]
fn a_file_with_the_inode_of_one_that_was_read_to_its_end_is_another_file() {
    let mut place = Place::new();
    write(place.at("log/app.log"), "one\n").unwrap();
    let mut log = place.resumed(&[]);
    // As if other files with this inode had been read: an empty one, and one that was removed.
    write(place.at("log/app.log.1"), "").unwrap();
    let empty = Entry { is_done: true, ..place.entry("log/app.log.1", 0) };
    write(place.at("log/app.log.1"), "no more\n").unwrap();
    let other = Entry { is_done: true, ..place.entry("log/app.log.1", 8) };
    for entry in [empty, other] {
        place.tools.register.keep(entry);
    }
    write(place.at("log/app.log.1"), "two\n").unwrap();
    rename(place.at("log/app.log"), place.at("log/app.log.2")).unwrap();
    write(place.at("log/app.log"), "three\n").unwrap();
    log.look(&mut place.tools).unwrap();
    assert_eq!(offsets(&log), [0, 0, 0]);
    // And nothing of the others is saved.
    assert_eq!(place.saved(), [0, 0, 0]);
}

#[test]
fn a_file_that_was_copied_and_truncated_is_not_given_up_while_its_directory_is_away() {
    let mut place = Place::new();
    write(place.at("log/app.log"), "one\ntwo\n").unwrap();
    let entries = [place.entry("log/app.log", 4)];
    let mut log = place.resumed(&entries);
    std::fs::copy(place.at("log/app.log"), place.at("log/app.log.1")).unwrap();
    write(place.at("log/app.log"), "").unwrap();
    rename(place.at("log"), place.at("elsewhere")).unwrap();
    assert_eq!(log.look(&mut place.tools), Err(Moved));
    rename(place.at("elsewhere"), place.at("log")).unwrap();
    log.look(&mut place.tools).unwrap();
    log.measure(&place.tools);
    assert_eq!(offsets(&log), [4, 0]);
    assert_eq!(log.readable().map(|generation| generation.unread()), Some(4));
}
