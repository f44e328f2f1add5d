//! All threads at once.

use super::*;

#[test]
fn records_go_through_while_others_come() {
    const COUNT: u64 = 200_000;
    let directory = tempfile::tempdir().unwrap();
    let Open { mut writer, mut replay, done, .. } = open_bounded(directory.path(), 400_000);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut number = 1;
            while number <= COUNT {
                // From one record per call to some hundreds.
                let last = (number + number % 700).min(COUNT);
                let payloads = bodies(number..=last);
                let mut left = &payloads[..];
                while !left.is_empty() {
                    match writer.append(left).unwrap() {
                        Appended::Full(taken) => {
                            left = &left[taken..];
                            writer.wait_for_room(None).unwrap();
                        }
                        Appended::All => left = &[],
                        other => panic!("{other:?}"),
                    }
                }
                number = last + 1;
            }
        });
        let mut number = 0;
        while let Some(batch) = replay.next().unwrap() {
            assert_eq!(batch.damage, None);
            for (sequence, payload) in batch.records() {
                number += 1;
                assert_eq!((sequence, payload), (number, &body(number)[..]));
            }
            done.done(number);
        }
        assert_eq!(number, COUNT);
    });
    assert_eq!(done.close().unwrap().kept, 0);
    assert_eq!(names(directory.path()), ["cursor", "pid"]);
}

#[test]
fn a_lone_record_comes_out_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let Open { mut writer, mut replay, done, .. } = open(directory.path());
    let (sender, receiver) = flume::bounded(0);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while let Some(batch) = replay.next().unwrap() {
                let records = batch.records().map(|(number, _)| number).collect::<Vec<_>>();
                sender.send(records).unwrap();
            }
        });
        for number in 1..=50 {
            writer.append(&[body(number)]).unwrap();
            assert_eq!(receiver.recv().unwrap(), [number]);
            done.done(number);
        }
        drop(writer);
    });
}
