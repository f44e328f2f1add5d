//! One run after another, and what a power cut leaves.

use super::*;
use crate::spool::disk::format;
use rmq_common::exit::Exit;
use std::os::unix::fs::PermissionsExt;

#[test]
fn what_one_run_leaves_the_next_finds_and_numbers_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spool");
    let mut first = open(&path);
    assert_eq!(first.found, Found::default());
    first.append(&bodies(1..=5));
    first.done.done(2);
    assert_eq!(first.done.kept(), 3);
    assert_eq!(first.leave(), Left { kept: 3, in_memory: 0 });

    let mut second = open(&path);
    assert_eq!(second.found.records, 3);
    // Sixteen bytes before each payload of eight, for three of the five records in the segment.
    assert_eq!(second.found.bytes, 3 * (16 + 8));
    assert_eq!(second.found.torn, None);
    second.append(&bodies(6..=7));
    let (records, damage, done) = second.rest();
    assert_eq!(records, numbered(3..=7));
    assert_eq!(damage, []);
    done.done(7);
    assert_eq!(done.close().unwrap(), Left { kept: 0, in_memory: 0 });

    assert_eq!(names(&path), ["cursor", "pid"], "a clean end leaves small files only");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let mut third = open(&path);
    assert_eq!(third.writer.next_sequence(), 8);
    third.append(&[body(8)]);
    assert_eq!(third.rest().0, numbered(8..=8));
}

#[test]
fn a_second_rmq_send_is_told_who_has_the_spool() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path());
    let failure = try_open(directory.path(), PLENTY).err().unwrap();
    assert_eq!(failure.exit(), Exit::TempFail);
    let (directory, pid) = (directory.path().display(), std::process::id());
    let text = format!("spool {directory}: in use by another rmq-send (pid {pid})");
    assert_eq!(failure.to_string(), text);
    drop(first);
    open(Path::new(&directory.to_string()));
}

#[test]
fn a_directory_is_made_with_what_is_missing_above_it_or_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    drop(try_open(&directory.path().join("a/b"), PLENTY).unwrap());
    assert!(directory.path().join("a/b/cursor").is_file());
    let failure = try_open(Path::new("/proc/a/b"), PLENTY).err().unwrap();
    assert_eq!(failure.exit(), Exit::IoErr);
    assert!(failure.to_string().ends_with("/proc/a/b: No such file or directory"), "{failure}");
}

#[test]
fn files_of_others_are_left_alone() {
    let directory = left_behind(3, 3);
    let others = ["1.segment", "00000000000000000001-0000000g.segment", "notes", "rejected"];
    for name in others {
        std::fs::write(directory.path().join(name), b"rmqspool").unwrap();
    }
    let (records, damage, done) = open(directory.path()).rest();
    assert_eq!((records, damage), (numbered(1..=3), vec![]));
    done.done(3);
    done.close().unwrap();
    assert!(others.iter().all(|name| directory.path().join(name).exists()));
    assert_eq!(files(directory.path()).len(), others.len() + 2);
}

#[test]
fn a_torn_end_is_cut_off_wherever_it_is_torn() {
    let directory = left_behind(3, 3);
    let segment = segments(directory.path()).remove(0);
    let whole = std::fs::read(&segment).unwrap();
    let ends = [16, 16 + 24, 16 + 48, 16 + 72];
    assert_eq!(whole.len(), ends[3]);
    for length in 0..=whole.len() {
        std::fs::write(&segment, &whole[..length]).unwrap();
        let copy = tempfile::tempdir().unwrap();
        for file in files(directory.path()) {
            std::fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
        }
        let spool = open(copy.path());
        let kept = ends.iter().filter(|end| **end <= length).count().saturating_sub(1) as u64;
        assert_eq!(spool.found.records, kept, "{length} bytes");
        let end = if kept == 0 { 0 } else { ends[usize::try_from(kept).unwrap()] };
        let torn = spool.found.torn.as_ref().map(|torn| (torn.offset, torn.bytes));
        let expected = (length > 16 && length > end).then_some((end as u64, (length - end) as u64));
        assert_eq!(torn, expected, "{length} bytes");
        let mut spool = spool;
        spool.append(&[body(kept + 1)]);
        let (records, damage, done) = spool.rest();
        assert_eq!(records, numbered(1..=kept + 1), "{length} bytes");
        assert_eq!(damage, [], "{length} bytes");
        done.close().unwrap();
        assert_eq!(open(copy.path()).found.torn, None, "told once");
    }
}

#[test]
fn zeros_behind_the_end_are_torn_too() {
    let directory = left_behind(3, 3);
    let segment = segments(directory.path()).remove(0);
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes.resize(300_000, 0);
    std::fs::write(&segment, bytes).unwrap();
    let spool = open(directory.path());
    assert_eq!(spool.found.torn.as_ref().map(|torn| torn.offset), Some(88));
    assert_eq!(spool.rest().0, numbered(1..=3));
}

/// Writes the cursor as a power cut may have left it.
fn set_cursor(directory: &Path, bytes: &[u8]) {
    std::fs::write(directory.join("cursor"), bytes).unwrap();
}

#[test]
fn a_cursor_that_is_behind_gives_copies_and_loses_nothing() {
    let directory = left_behind(6, 3);
    set_cursor(directory.path(), &format::cursor(0));
    assert_eq!(open(directory.path()).found.records, 6);
    // The first segment is gone, so it was done, whatever the cursor says.
    std::fs::remove_file(segments(directory.path()).remove(0)).unwrap();
    set_cursor(directory.path(), &format::cursor(1));
    let mut spool = open(directory.path());
    assert_eq!(spool.found.records, 3);
    spool.append(&[body(7)]);
    let (records, damage, _done) = spool.rest();
    assert_eq!((records, damage), (numbered(4..=7), vec![]));
}

#[test]
fn a_cursor_that_is_ahead_swallows_nothing_that_comes() {
    let directory = left_behind(6, 3);
    // Everything that is complete comes out, and so does what is appended.
    set_cursor(directory.path(), &format::cursor(10));
    let mut spool = open(directory.path());
    assert_eq!((spool.found.records, spool.found.cursor_damaged), (6, true));
    spool.append(&bodies(7..=8));
    spool.leave();
    let (records, _, done) = open(directory.path()).rest();
    assert_eq!(records, numbered(1..=8));
    done.done(8);
    done.close().unwrap();
    // If there are no segments, the cursor's numbers are not used again.
    set_cursor(directory.path(), &format::cursor(10));
    let mut spool = open(directory.path());
    assert_eq!((spool.found.records, spool.found.cursor_damaged), (0, false));
    spool.append(&bodies(11..=12));
    spool.leave();
    assert_eq!(open(directory.path()).rest().0, numbered(11..=12));
}

#[test]
fn a_cursor_and_segments_of_absurd_numbers_are_damage_and_no_overflow() {
    let directory = left_behind(6, 3);
    set_cursor(directory.path(), &format::cursor(u64::MAX));
    let last = format!("{}-00000000.segment", u64::MAX);
    std::fs::write(directory.path().join(&last), b"rmqspool").unwrap();
    let mut spool = open(directory.path());
    assert_eq!((spool.found.records, spool.found.cursor_damaged), (6, true));
    spool.append(&[body(7)]);
    assert_eq!(spool.rest().0, numbered(1..=7));
    assert!(directory.path().join(last).exists(), "it is not a segment");
}

#[test]
fn without_a_cursor_all_that_the_segments_hold_comes_again() {
    for cursor in [None, Some(&b"rmqdone"[..]), Some(&[0; 28])] {
        let directory = left_behind(6, 3);
        match cursor {
            Some(bytes) => set_cursor(directory.path(), bytes),
            None => std::fs::remove_file(directory.path().join("cursor")).unwrap(),
        }
        let spool = open(directory.path());
        assert_eq!(spool.found.cursor_damaged, cursor.is_some());
        assert_eq!(spool.rest().0, numbered(1..=6));
    }
}

#[test]
fn a_later_version_is_refused_and_nothing_of_it_is_touched() {
    let stamp = |magic: &[u8], version: u8| {
        let mut bytes = magic.to_vec();
        bytes.extend([version, 0, 0, 0]);
        let sum = crc32fast::hash(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes
    };
    // The test's own stamp equals the one that the code writes for its version.
    assert_eq!(stamp(b"rmqspool", 1), format::segment_stamp());
    for in_cursor in [false, true] {
        let directory = left_behind(6, 3);
        let file = match in_cursor {
            true => directory.path().join("cursor"),
            false => segments(directory.path()).remove(0),
        };
        let mut bytes = std::fs::read(&file).unwrap();
        let magic = bytes[..8].to_vec();
        bytes.splice(..16, stamp(&magic, 2));
        std::fs::write(&file, &bytes).unwrap();
        // A torn end would be cut if the version were known.
        let last = segments(directory.path()).remove(1);
        let mut torn = std::fs::read(&last).unwrap();
        torn.extend_from_slice(b"torn");
        std::fs::write(&last, &torn).unwrap();

        let failure = try_open(directory.path(), PLENTY).err().unwrap();
        assert_eq!(failure.exit(), Exit::IoErr);
        let text = format!("spool {}: version 2 is not supported", file.display());
        assert_eq!(failure.to_string(), text);
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
        assert_eq!(std::fs::read(&last).unwrap(), torn);
    }
}
