//! A full disk: a small tmpfs in a mount namespace of the test's own.

use super::*;
use crate::results::rejects::Rejects;
use crate::spool::disk::Room;
use std::fs::File;
use std::process::Command;
use std::time::Duration;

/// Runs `test` in a separate process, in a directory of this `size`.
fn confined(name: &str, size: &str, test: impl FnOnce(&Path)) {
    if let Some(directory) = directory_from_parent() {
        let size = format!("{size},mode=0700");
        let mount = ["-t", "tmpfs", "-o", &size, "none"];
        assert!(Command::new("mount").args(mount).arg(&directory).status().unwrap().success());
        return test(&directory);
    }
    let directory = tempfile::tempdir().unwrap();
    let name = format!("spool::disk::tests::full_disk::{name}");
    let namespace = ["unshare", "--map-root-user", "--mount"];
    let output = again(&name, &namespace, directory.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{output:?}");
}

/// Fills the disk to the last byte.
fn fill(directory: &Path) -> PathBuf {
    let path = directory.join("filler");
    let error = std::io::copy(&mut std::io::repeat(0), &mut File::create(&path).unwrap());
    assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    path
}

fn contents(directory: &Path) -> Vec<Vec<u8>> {
    segments(directory).iter().map(|file| std::fs::read(file).unwrap()).collect()
}

#[test]
fn on_a_full_disk_nothing_half_written_stays_and_room_is_used_again() {
    let name = "on_a_full_disk_nothing_half_written_stays_and_room_is_used_again";
    confined(name, "size=1m", |directory| {
        let mut spool = open(directory);
        spool.append(&bodies(1..=100));
        let filler = fill(directory);
        let before = contents(directory);
        let large = vec![vec![b'x'; 9000]; 10];
        assert_eq!(spool.writer.append(&large).unwrap(), Appended::NoSpace(0));
        assert_eq!(contents(directory), before);
        let moment = Some(Duration::from_millis(1));
        assert_eq!(spool.writer.wait_for_room(moment).unwrap(), Room::TimedOut);
        let file = directory.join("rejected");
        let [mut rejected, _] = Rejects::in_spool(&Arc::new(Directory::open(directory).unwrap()));
        let failure = rejected.record(&[b'x'; 9000]).unwrap_err().to_string();
        assert!(failure.ends_with("rejected: No space left on device"), "{failure}");
        assert_eq!(file.metadata().unwrap().len(), 0);

        std::fs::remove_file(filler).unwrap();
        spool.append(&large);
        spool.append(&[body(111)]);
        spool.leave();
        let spool = open(directory);
        assert_eq!(spool.found.torn, None);
        let (records, damage, _done) = spool.rest();
        assert_eq!(damage, []);
        assert_eq!(records[..100], numbered(1..=100));
        assert_eq!(records[110..], numbered(111..=111));
        assert_eq!(records.len(), 111);
    });
}

#[test]
fn records_go_through_memory_when_even_an_empty_spool_finds_no_room() {
    let name = "records_go_through_memory_when_even_an_empty_spool_finds_no_room";
    confined(name, "size=1m", |directory| {
        let mut spool = open(directory);
        spool.append(&bodies(1..=100));
        let filler = fill(directory);
        let padded = |number: u64| format!("{number:09000}").into_bytes();
        let large: Vec<_> = (101..=110).map(padded).collect();
        assert_eq!(spool.writer.append(&large).unwrap(), Appended::NoSpace(0));
        let Open { mut writer, mut replay, done, .. } = spool;
        let batch = replay.next().unwrap().unwrap();
        assert_eq!(batch.records().last(), Some((100, &body(100)[..])));
        assert_eq!(done.kept(), 100);
        done.done(100);
        assert_eq!(writer.wait_for_room(None).unwrap(), Room::Freed);
        // The filler takes the room that the spool's segment frees.
        let mut number = 101;
        for _ in 0..3 {
            let some: Vec<_> = (number..number + 10).map(padded).collect();
            assert_eq!(writer.append(&some).unwrap(), Appended::InMemory);
            assert_eq!((done.kept(), done.in_memory()), (0, 10));
            // At most one batch is in memory.
            assert_eq!(writer.append(&some).unwrap(), Appended::NoSpace(0));
            let batch = replay.next().unwrap().unwrap();
            let numbers: Vec<_> = batch.records().map(|(number, _)| number).collect();
            assert_eq!(numbers, (number..number + 10).collect::<Vec<_>>());
            assert!(batch.records().all(|(number, body)| body == padded(number)));
            done.done(number + 3);
            assert_eq!((done.kept(), done.in_memory()), (0, 6));
            done.done(number + 9);
            assert_eq!(writer.wait_for_room(None).unwrap(), Room::Freed);
            number += 10;
        }
        // In order with what is on disk again, although some records in memory are not done.
        let some: Vec<_> = (number..number + 10).map(padded).collect();
        assert_eq!(writer.append(&some).unwrap(), Appended::InMemory);
        std::fs::remove_file(filler).unwrap();
        assert_eq!(writer.append(&[body(number + 10)]).unwrap(), Appended::All);
        let found = replay.next().unwrap().unwrap().records().last().unwrap().0;
        assert_eq!(found, number + 9);
        let batch = replay.next().unwrap().unwrap();
        assert_eq!(batch.damage, None);
        assert_eq!(batch.records().collect::<Vec<_>>(), [(number + 10, &body(number + 10)[..])]);
        assert_eq!((done.kept(), done.in_memory()), (1, 10));
        done.done(number + 10);
        drop(writer);
        assert!(replay.next().unwrap().is_none());
        assert_eq!(done.close().unwrap(), Left { kept: 0, in_memory: 0 });
        assert_eq!(names(directory), ["cursor", "pid"]);
    });
}
