//! `kill -9` at any moment.

use super::*;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::Duration;

const FIRST: &str = "RMQ_SPOOL_TEST_FIRST";

/// Appends forever, and replays what comes; prints what is appended and what is about to be done.
fn run_until_killed(directory: &Path) {
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let Open { mut writer, mut replay, done, .. } = open_bounded(directory, 300_000);
    let tell = |what: &str, number: u64| {
        // One write per line: a line is out whole or not at all.
        std::io::stderr().write_all(format!("{what} {number}\n").as_bytes()).unwrap();
    };
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while let Some(batch) = replay.next().unwrap() {
                assert_eq!(batch.damage, None);
                let mut last = 0;
                for (sequence, payload) in batch.records() {
                    let text = std::str::from_utf8(payload).unwrap();
                    let number = text.split(' ').nth(1).unwrap().parse().unwrap();
                    tell("done", number);
                    last = sequence;
                }
                done.done(last);
                // Leaves something in the spool when it is killed.
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let mut number = first;
        loop {
            let count = 1 + number % 40;
            let padding = "x".repeat(usize::try_from(number % 97 * 7).unwrap());
            let payloads: Vec<_> = (number..number + count)
                .map(|number| format!("record {number} {padding}"))
                .collect();
            let mut taken = 0;
            while taken < payloads.len() {
                match writer.append(&payloads[taken..]).unwrap() {
                    Appended::All => taken = payloads.len(),
                    Appended::Full(more) => {
                        taken += more;
                        writer.wait_for_room(None).unwrap();
                    }
                    other => panic!("{other:?}"),
                }
            }
            number += count;
            tell("appended", number - 1);
        }
    });
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_appended() {
    if let Some(directory) = directory_from_parent() {
        return run_until_killed(&directory);
    }
    let directory = tempfile::tempdir().unwrap();
    let name = "spool::disk::tests::crash::a_kill_at_any_moment_loses_nothing_that_was_appended";
    let seed: u64 = match std::env::var("RMQ_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => RandomState::new().hash_one(0),
    };
    say(&format!("RMQ_SEED={seed}"));
    let (mut appended, mut done) = (BTreeSet::new(), BTreeSet::new());
    let (mut first, mut copies, mut torn) = (1, 0, 0);
    for round in 0..if soak() { 300 } else { 30 } {
        let mut child = again(name, &[], directory.path())
            .env(FIRST, first.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // It is killed while it works, this many lines after its first.
        let (mut left, mut last_done) = (1 + (seed >> (round % 40)) % 3000, 0);
        let mut from = first;
        for line in lines {
            let line = line.unwrap();
            let (what, number) = line.split_once(' ').unwrap();
            let number: u64 = number.parse().unwrap_or_else(|_| panic!("{line}"));
            if what == "appended" {
                appended.extend(from..=number);
                from = number + 1;
            } else {
                assert!(number > last_done, "{number} came after {last_done}");
                last_done = number;
                copies += u64::from(!done.insert(number));
            }
            first = first.max(number + 1);
            left = left.saturating_sub(1);
            if left == 0 {
                child.kill().unwrap();
                left = u64::MAX;
            }
        }
        assert!(!child.wait().unwrap().success());
        // What was written but not printed may exist; it must not be mistaken for the next run's.
        first += 1000;
        // Now and then, what it left is checked without being taken.
        if round % 5 == 0 {
            let spool = open(directory.path());
            torn += u64::from(spool.found.torn.is_some());
            assert_eq!(spool.found.damaged, []);
            assert!(!spool.found.cursor_damaged);
            spool.leave();
        }
    }
    let spool = open(directory.path());
    let (records, damage, _) = spool.rest();
    assert_eq!(damage, []);
    let mut before = 0;
    for (sequence, payload) in records {
        assert!(sequence > before);
        before = sequence;
        let text = String::from_utf8(payload).unwrap();
        done.insert(text.split(' ').nth(1).unwrap().parse().unwrap());
    }
    let lost: Vec<_> = appended.difference(&done).collect();
    assert_eq!(lost, [&0; 0]);
    say(&format!("{} appended, {copies} copies, {torn} torn", appended.len()));
}
