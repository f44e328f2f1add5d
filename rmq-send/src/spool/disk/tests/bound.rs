//! The bound, and waiting for room.

use super::*;
use crate::spool::disk::Room;
use std::time::Duration;

/// Bytes of all segments.
fn bytes(directory: &Path) -> u64 {
    segments(directory).iter().map(|file| file.metadata().unwrap().len()).sum()
}

#[test]
fn the_bound_counts_bytes_on_disk_and_room_comes_back_in_steps() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open_bounded(directory.path(), 100_000);
    let payload = [b'x'; 984];
    let Appended::Full(count) = spool.writer.append(&vec![payload; 200]).unwrap() else {
        panic!("not full");
    };
    assert!(bytes(directory.path()) <= 100_000);
    assert!((98..100).contains(&count), "{count} records of 1000 bytes");
    assert!(segments(directory.path()).len() >= 8);
    assert_eq!(spool.writer.append(&[payload]).unwrap(), Appended::Full(0));
    let moment = Some(Duration::from_millis(1));
    assert_eq!(spool.writer.wait_for_room(moment).unwrap(), Room::TimedOut);
    // One segment's worth.
    spool.done.done(13);
    assert!(matches!(spool.writer.append(&vec![payload; 20]).unwrap(), Appended::Full(10..=13)));
    assert!(bytes(directory.path()) <= 100_000);
    // What is found again counts, too.
    spool.leave();
    let mut spool = open_bounded(directory.path(), 100_000);
    assert_eq!(spool.found.bytes, 1000 * spool.found.records);
    assert_eq!(spool.writer.append(&[payload]).unwrap(), Appended::Full(0));
}

#[test]
fn a_record_larger_than_the_bound_goes_through_an_empty_spool() {
    let directory = tempfile::tempdir().unwrap();
    let mut spool = open_bounded(directory.path(), 1000);
    let large = vec![b'x'; 5000];
    assert_eq!(spool.writer.append(&[&large[..], b"next"]).unwrap(), Appended::Full(1));
    let batch = spool.replay.next().unwrap().unwrap();
    assert_eq!(batch.records().collect::<Vec<_>>(), [(1, &large[..])]);
    spool.done.done(1);
    // It is not full if all its records are done.
    assert_eq!(spool.writer.append(&[b"next"]).unwrap(), Appended::All);
    assert_eq!(spool.rest().0, [(2, b"next".to_vec())]);
    assert!(bytes(directory.path()) < 100);
}

#[test]
fn a_stop_ends_every_wait() {
    let directory = tempfile::tempdir().unwrap();
    let Open { mut writer, mut replay, done, .. } = open_bounded(directory.path(), 1000);
    assert_eq!(writer.append(&[[b'x'; 900]; 2]).unwrap(), Appended::Full(1));
    assert_eq!(replay.next().unwrap().unwrap().records().count(), 1);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| writer.wait_for_room(None).unwrap());
        done.stop_writer();
        assert_eq!(waiting.join().unwrap(), Room::Stopped);
        let waiting = scope.spawn(|| replay.next().unwrap().is_none());
        done.stop();
        assert!(waiting.join().unwrap());
    });
    assert_eq!(done.close().unwrap().kept, 1);
}
