//! What cannot be synced, written or read.

use super::*;
use crate::spool::disk::cursor::Cursor;
use crate::spool::disk::recovery::recover;
use rmq_common::exit::Exit;
use std::fs::File;

/// A spool whose cursor is a device.
fn open_with_cursor(path: &Path, device: &str) -> Open {
    let directory = Arc::new(Directory::open(path).unwrap());
    assert!(directory.try_lock().unwrap());
    let (state, _, found) = recover(&directory).unwrap();
    let cursor = Cursor::of(File::options().write(true).open(device).unwrap());
    let opened = Spool::start(directory, (state, cursor, found), PLENTY).unwrap();
    let (writer, replay, done, found) = opened;
    Open { writer, replay, done, found }
}

#[test]
fn after_a_failed_sync_nothing_goes_in_and_all_that_is_in_comes_out() {
    let directory = tempfile::tempdir().unwrap();
    let cursor = directory.path().join("cursor");
    // It takes everything, but cannot be synced.
    let mut spool = open_with_cursor(directory.path(), "/dev/null");
    spool.append(&bodies(1..=3));
    spool.done.done(1);
    assert_eq!(spool.done.failure(), None);
    let failure = spool.writer.wait_for_room(None).unwrap_err();
    let text = format!("sync spool {}: Invalid argument", cursor.display());
    assert_eq!((failure.exit(), failure.to_string()), (Exit::IoErr, text));
    assert_eq!(spool.writer.append(&[body(4)]).unwrap_err(), failure);
    assert_eq!(spool.done.failure(), Some(failure.clone()));
    let (records, _, done) = spool.rest();
    assert_eq!(records, numbered(1..=3));
    done.done(2);
    assert_eq!(done.kept(), 1);
    assert_eq!(done.close().unwrap_err(), failure);
}

#[test]
fn a_directory_that_vanishes_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open(directory.path());
    std::fs::remove_dir_all(directory.path()).unwrap();
    let failure = spool.writer.append(&[body(1)]).unwrap_err().to_string();
    assert!(
        failure.starts_with(&format!("spool {}/0000", directory.path().display())),
        "{failure}"
    );
    assert!(failure.ends_with(".segment: No such file or directory"), "{failure}");
}

#[test]
fn a_segment_that_cannot_be_read_is_named() {
    let directory = left_behind(3, 3);
    let segment = segments(directory.path()).remove(0);
    let Open { mut replay, done, .. } = open(directory.path());
    std::fs::remove_file(&segment).unwrap();
    let failure = replay.next().unwrap_err();
    let text = format!("spool {}: No such file or directory", segment.display());
    assert_eq!((failure.exit(), failure.to_string()), (Exit::IoErr, text));
    assert_eq!(done.kept(), 3);
}

#[test]
fn a_cursor_that_finds_no_room_costs_copies_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open_with_cursor(directory.path(), "/dev/full");
    spool.append(&bodies(1..=3));
    let batch = spool.replay.next().unwrap().unwrap();
    assert_eq!(batch.records().count(), 3);
    spool.done.done(2);
    assert_eq!(spool.done.kept(), 1);
    drop(spool);
    std::fs::remove_file(directory.path().join("cursor")).unwrap();
    assert_eq!(open(directory.path()).rest().0, numbered(1..=3));
}
